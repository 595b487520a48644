// Package sequence makes sequences of steps from a seed, and makes those that fail shorter.
//
// A [Case] is a list of words such as "publish-2 cut-publisher answer". What a word does is the
// business of the check that plays the case; it has to be harmless in any place, as
// both the generator and the shrinking put words anywhere. So a case is text that a person can read,
// change and play again.
package sequence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Case is a sequence of steps.
type Case []string

// String is the case on one line; [Parse] reads it.
func (c Case) String() string { return strings.Join(c, " ") }

// Word is a step that there is, and how often it is drawn in relation to others.
type Word struct {
	Name   string
	Weight int
}

// Parse reads a case. The error names every word that there is not.
func Parse(text string, words []Word) (Case, error) {
	c := Case(strings.Fields(text))
	var unknown, all []string
	for _, w := range words {
		all = append(all, w.Name)
	}
	for _, name := range c {
		if !slices.Contains(all, name) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("no step %s; there are %s", strings.Join(unknown, ", "), strings.Join(all, ", "))
	}
	return c, nil
}

// Draw makes a case of n steps. The same source gives the same case.
func Draw(r *rand.Rand, words []Word, n int) Case {
	total := 0
	for _, w := range words {
		total += w.Weight
	}
	c := make(Case, n)
	for i := range c {
		at := r.IntN(total)
		for _, w := range words {
			if at -= w.Weight; at < 0 {
				c[i] = w.Name
				break
			}
		}
	}
	return c
}

// Shrink takes steps out of a case that fails while what is left still fails: halves, quarters and
// so on, at last single steps, until none can be missed or so many tries were asked for.
// firstFailing is given several cases, which it may play at a time, and returns the index of the
// first of them that fails, or -1.
func Shrink(c Case, firstFailing func([]Case) int, tries int) Case {
	for size := max(len(c)/2, 1); ; {
		smaller := false
		for at := 0; at < len(c) && tries > 0; {
			shorter := without(c, at, size, tries)
			tries -= max(len(shorter), 1)
			i := firstFailing(shorter)
			if i < 0 {
				break
			}
			c, smaller, at = shorter[i], true, at+i*size
		}
		switch {
		case tries <= 0, size == 1 && !smaller:
			return c
		case size > 1:
			size = (size + 1) / 2
		}
	}
}

// without returns at most n cases, each of which lacks another piece of c of that size, the first
// that at at. None is empty.
func without(c Case, at, size, n int) []Case {
	var shorter []Case
	for ; at < len(c) && len(shorter) < n; at += size {
		if s := slices.Concat(c[:at], c[min(at+size, len(c)):]); len(s) > 0 {
			shorter = append(shorter, s)
		}
	}
	return shorter
}
