package statement

import (
	"slices"
	"strings"
)

// nearest returns the n ids closest to a mistyped one by edit distance. A number
// without its standard ("3.1.0-2") is matched against the numbers alone.
func (t *table) nearest(typed string, n int) []string {
	bare := !strings.Contains(typed, "MQTT") && !strings.HasPrefix(typed, prefixX5)
	type candidate struct {
		id       string
		distance int
	}
	all := make([]candidate, 0, len(t.rows))
	for _, s := range t.rows {
		id := string(s.ID)
		to := id
		if bare {
			_, to, _ = strings.Cut(id, "-")
		}
		all = append(all, candidate{id, distance(typed, to)})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.distance - b.distance })
	names := make([]string, 0, n)
	for _, c := range all[:min(n, len(all))] {
		names = append(names, c.id)
	}
	return names
}

// distance is the Levenshtein distance of two short ASCII strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
