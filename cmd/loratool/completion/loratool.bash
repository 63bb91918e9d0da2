# bash completion for loratool; load with: source <(loratool completion bash)

_loratool() {
	local cur=${COMP_WORDS[COMP_CWORD]} word
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		COMPREPLY+=("$word")
	done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	if [[ ${#COMPREPLY[@]} -eq 0 && $cur != -* && COMP_CWORD -gt 1 ]]; then
		compopt -o filenames 2>/dev/null
		while IFS= read -r word; do
			COMPREPLY+=("$word")
		done < <(compgen -f -- "$cur")
	fi
}
complete -F _loratool loratool
