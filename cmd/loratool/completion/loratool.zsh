#compdef loratool
# zsh completion for loratool; load with: source <(loratool completion zsh)

_loratool() {
	local line
	local -a found
	for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		[[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done
	if (( $#found )); then
		_describe loratool found
	elif (( CURRENT > 2 )); then
		_files
	fi
}
if [[ $funcstack[1] == _loratool ]]; then
	_loratool "$@"
else
	compdef _loratool loratool
fi
