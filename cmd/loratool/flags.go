package main

import "github.com/urfave/cli/v2"

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

// shardFlag is for commands that write safetensors checkpoints.
func shardFlag() cli.Flag {
	return &cli.StringFlag{Category: groupOutput, Name: "max-shard-size", Value: "5GB", Usage: "`SIZE` of a weight file at most; G is 10^9 here, GiB 2^30"}
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
