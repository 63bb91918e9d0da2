package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// A usageError is a command line that can't be understood.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }

func usagef(hint, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), hint}
}

// flagsFirst moves the flags of args, the arguments of one command, before its
// operands, because cli/v2 stops reading flags at the first operand. "--" and
// everything after it stay operands. Along the way it reports unknown flags and
// missing values, which cli would report with a page of help.
func (cmd *command) flagsFirst(args []string) (sorted []string, help bool, err error) {
	var flags, operands []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			operands = append(operands, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			operands = append(operands, arg)
			continue
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "h" || name == "help" {
			return nil, true, nil
		}
		flag := findFlag(cmd.flags, name)
		if short := findFlag(cmd.flags, name[:min(1, len(name))]); flag == nil && !strings.HasPrefix(arg, "--") && takesValue(short) {
			flag, hasValue = short, true // -j8
			arg = "-" + name[:1] + "=" + arg[2:]
		}
		if flag == nil {
			return nil, false, cmd.unknownFlag(arg, name)
		}
		flags = append(flags, arg)
		if takesValue(flag) && !hasValue {
			if i++; i == len(args) {
				return nil, false, usagef(cmd.see(), "%s needs a value", arg)
			}
			flags = append(flags, args[i])
		}
	}
	return append(append(flags, "--"), operands...), false, nil
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

func (cmd *command) unknownFlag(arg, name string) error {
	hint := cmd.see()
	var names []string
	for _, f := range cmd.flags {
		names = append(names, strings.TrimLeft(flagName(f), "-"))
	}
	if s := closest(name, names); s != "" {
		hint = "did you mean --" + s + "?"
	}
	text, _, _ := strings.Cut(arg, "=")
	return usagef(hint, "%s has no flag %s", cmd.name, text)
}

// see returns the hint that leads to the command's help.
func (cmd *command) see() string { return "see loratool help " + cmd.name }

var (
	invalidFlag = regexp.MustCompile(`^invalid (?:boolean )?value ("(?:[^"\\]|\\.)*") for (?:flag )?-([^: ]+): `)
	invalidEnv  = regexp.MustCompile(`^could not parse ("(?:[^"\\]|\\.)*") .*from environment variable "([^"]+)"`)
)

// valueError rewrites an error of cli about a flag's value.
func (cmd *command) valueError(err error) error {
	if m := invalidEnv.FindStringSubmatch(err.Error()); m != nil {
		return usagef("", "the environment variable %s can't be %s", m[2], m[1])
	}
	if m := invalidFlag.FindStringSubmatch(err.Error()); m != nil {
		return usagef(cmd.see(), "%s can't be %s", flagName(findFlag(cmd.flags, m[2])), m[1])
	}
	return usagef(cmd.see(), "%s: %v", cmd.name, err)
}

// flagName returns the longest name of a flag, as one types it.
func flagName(f cli.Flag) string {
	name := slices.MaxFunc(f.Names(), func(a, b string) int { return len(a) - len(b) })
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
