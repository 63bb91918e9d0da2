# fish completion for loratool; put it into ~/.config/fish/completions/loratool.fish

function __loratool_complete
	set -l words (commandline -opc) (commandline -ct)
	$words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c loratool -f -n 'test (count (commandline -opc)) -lt 2'
complete -c loratool -a '(__loratool_complete)'
