package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// closest returns the name that a person may have meant when typing word, or "": the
// shortest that begins with it, or else the one with the fewest letters to change, if
// these are few.
func closest(word string, names []string) string {
	word = strings.ToLower(word)
	if len(word) < 2 || len(names) == 0 {
		return ""
	}
	begun := ""
	for _, n := range names {
		if strings.HasPrefix(strings.ToLower(n), word) && (begun == "" || len(n) < len(begun)) {
			begun = n
		}
	}
	if begun != "" {
		return begun
	}
	distance := func(name string) int { return distanceOf(strings.ToLower(name), word) }
	best := slices.MinFunc(names, func(a, b string) int { return distance(a) - distance(b) })
	if !near(strings.ToLower(best), word) {
		return ""
	}
	return best
}

// closestPath returns a path that a person may have meant when typing one that does not
// exist, or "".
func closestPath(path string) string {
	dir, name := filepath.Split(filepath.Clean(path))
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	best := closest(name, names)
	if best == "" || best == name {
		return ""
	}
	return dir + best
}

// near reports whether a person may have meant the word want when typing got: at
// most two letters of five are wrong, or all are right and two changed places.
func near(want, got string) bool {
	d := distanceOf(want, got)
	return 5*d <= 2*max(len(want), len(got)) || d == 2 && letters(want) == letters(got)
}

// letters returns a word's letters in alphabetical order.
func letters(word string) string { return string(slices.Sorted(slices.Values([]byte(word)))) }

// distanceOf returns the Levenshtein distance of two words.
func distanceOf(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
