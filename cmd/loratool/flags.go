package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
)

// The flags that commands share, in groups, so that each is called the same and
// means the same everywhere. Help shows the groups in this order.
const (
	groupOutput   = "Output"
	groupWork     = "Work"
	groupTerminal = "Terminal"
)

// outputFlags are for commands that write a model. Their results go to -o.
func outputFlags() []cli.Flag {
	return append(placeFlags(), reportFlag("what was done to each tensor"))
}

// placeFlags say where the result goes, and whether.
func placeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Category: groupOutput, Name: "output", Aliases: []string{"o"}, Usage: "`OUT`: where the result goes; it appears when it is whole, or not at all"},
		&cli.BoolFlag{Category: groupOutput, Name: "force", Usage: "replace OUT if it exists (never if it is an input)"},
		&cli.BoolFlag{Category: groupOutput, Name: "dry-run", Aliases: []string{"n"}, Usage: "say what would be done, and what it takes, and stop"},
	}
}

// reportFlag is for commands that can tell more than they print.
func reportFlag(what string) cli.Flag {
	return &cli.StringFlag{Category: groupOutput, Name: "report", Usage: "`FILE`: also write " + what + ", as JSON, or where there is one as a page if it ends in .html"}
}

// shardFlag is for commands that may divide what they write into shards. Without a
// default they do so only if it is given.
func shardFlag(byDefault string) cli.Flag {
	return &cli.StringFlag{Category: groupOutput, Name: "max-shard-size", Value: byDefault,
		Usage: "`SIZE` of a weights file at most; G is 10^9 here, GiB 2^30"}
}

// shardSize reads --max-shard-size; 0 is for no limit.
func (c *call) shardSize() (int64, error) {
	s := c.String("max-shard-size")
	if s == "" {
		return 0, nil
	}
	size, err := parseSize(s, decimalUnits)
	if err != nil {
		return 0, usagef(c.cmd.see(), "--max-shard-size: %v", err)
	}
	return size, nil
}

// dtypeFlag is for commands that write weights in another number format.
func dtypeFlag(usage, byDefault string) cli.Flag {
	return &cli.StringFlag{Name: "dtype", Value: byDefault, Usage: usage}
}

// dtype reads --dtype; Invalid is for none, and for keep.
func (c *call) dtype() formats.DType {
	for _, d := range []formats.DType{formats.BF16, formats.F16, formats.F32} {
		if strings.EqualFold(d.String(), c.String("dtype")) {
			return d
		}
	}
	return formats.Invalid
}

// workFlags are for commands that read tensors.
func workFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Category: groupWork, Name: "memory", Value: "1GiB", EnvVars: []string{"LORATOOL_MEMORY"}, Usage: "`SIZE` of memory to work in; G is 2^30 here, GB 10^9"},
		&cli.IntFlag{Category: groupWork, Name: "threads", Aliases: []string{"j"}, EnvVars: []string{"LORATOOL_THREADS"}, DefaultText: "one a CPU", Usage: "`N` threads to work with; the result does not depend on it"},
		&cli.StringFlag{Category: groupWork, Name: "progress", Value: "auto", Usage: "`HOW` progress is shown: auto, bar, plain, json or none"},
	}
}

// jsonFlag is for commands whose result is a table.
func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Category: groupTerminal, Name: "json", Usage: "print the result as JSON"}
}

// terminalFlags are for all commands.
func terminalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Category: groupTerminal, Name: "quiet", Aliases: []string{"q"}, Usage: "no messages but errors and warnings"},
		&cli.BoolFlag{Category: groupTerminal, Name: "verbose", Aliases: []string{"v"}, Usage: "a line for every tensor"},
		&cli.StringFlag{Category: groupTerminal, Name: "color", Value: "auto", Usage: "`WHEN` to use colour: auto, always or never"},
	}
}

// flagList joins groups of flags and single ones.
func flagList(parts ...any) []cli.Flag {
	var list []cli.Flag
	for _, p := range parts {
		switch p := p.(type) {
		case []cli.Flag:
			list = append(list, p...)
		case cli.Flag:
			list = append(list, p)
		default:
			panic("loratool: internal error: neither a flag nor a list of flags")
		}
	}
	return append(list, terminalFlags()...)
}
