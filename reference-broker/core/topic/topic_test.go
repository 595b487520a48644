package topic

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("a/", 30_000) + "a"
	for _, c := range []struct {
		s            string
		name, filter error
	}{
		{"a", nil, nil},
		{"/", nil, nil},
		{"a//b/", nil, nil},
		{"A b/ü/\uFEFF", nil, nil},
		{long, nil, nil},
		{"", ErrEmpty, ErrEmpty},
		{"a\x00", ErrNull, ErrNull},
		{"#", ErrWildcard, nil},
		{"+", ErrWildcard, nil},
		{"/#", ErrWildcard, nil},
		{"+/+/#", ErrWildcard, nil},
		{"a/+/c", ErrWildcard, nil},
		{"a#", ErrWildcard, ErrHash},
		{"#/a", ErrWildcard, ErrHash},
		{"a/#/b", ErrWildcard, ErrHash},
		{"##", ErrWildcard, ErrHash},
		{"a+", ErrWildcard, ErrPlus},
		{"+a", ErrWildcard, ErrPlus},
		{"a/b+/c", ErrWildcard, ErrPlus},
		{"++", ErrWildcard, ErrPlus},
		{"+#", ErrWildcard, ErrPlus},
	} {
		if got := CheckName(c.s); !errors.Is(got, c.name) {
			t.Errorf("CheckName(%q) = %v, want %v", c.s, got, c.name)
		}
		if got := CheckFilter(c.s); !errors.Is(got, c.filter) {
			t.Errorf("CheckFilter(%q) = %v, want %v", c.s, got, c.filter)
		}
	}
}

func TestParseFilter(t *testing.T) {
	for _, c := range []struct {
		s    string
		want Filter
		err  error
	}{
		{"a/b", Filter{Path: "a/b"}, nil},
		{"$share/g/a", Filter{"g", "a"}, nil},
		{"$share/g//a", Filter{"g", "/a"}, nil},
		{"$share/g/#", Filter{"g", "#"}, nil},
		{"$shared/g/a", Filter{Path: "$shared/g/a"}, nil},
		{"$share/g/a#", Filter{}, ErrHash},
		{"$share//a", Filter{}, ErrShareName},
		{"$share/g", Filter{}, ErrShareName},
		{"$share/g/", Filter{}, ErrShareName},
		{"$share/", Filter{}, ErrShareName},
		{"$share/g+/a", Filter{}, ErrShareName},
		{"$share/#/a", Filter{}, ErrShareName},
	} {
		got, err := ParseFilter(c.s)
		if !errors.Is(err, c.err) || err == nil && got != c.want {
			t.Errorf("ParseFilter(%q) = %+v, %v, want %+v, %v", c.s, got, err, c.want, c.err)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		filter, name string
		want         bool
	}{
		{"a", "a", true},
		{"a", "A", false},
		{"a", "/a", false},
		{"a", "a/", false},
		{"a/b", "a//b", false},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"a/+", "a", false},
		{"a/+", "a/", true},
		{"a/+", "a/b/c", false},
		{"+/+", "/x", true},
		{"+", "/x", false},
		{"/+", "/x", true},
		{"#", "/x", true},
		{"+/#", "a", true},
		{"a/+/#", "a", false},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"+/#", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/#", "$SYS", true},
		{"$SYS/+", "$SYS/x", true},
		{"a/#", "a/$b", true},
		{"a/+", "a/$b", true},
	} {
		if got := Match(c.filter, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.filter, c.name, got)
		}
		var tree Tree[string]
		tree.Insert(c.filter, "")
		if got := len(tree.Match(c.name, nil)) == 1; got != c.want {
			t.Errorf("Tree with %q matches %q: %v", c.filter, c.name, got)
		}
		var names Names[string]
		names.Set(c.name, "")
		found := 0
		names.Match(c.filter, func(string) bool { found++; return true })
		if (found == 1) != c.want {
			t.Errorf("Names with %q found %d times by %q, want %v", c.name, found, c.filter, c.want)
		}
	}
}

func randomPath(rng *rand.Rand, wildcards bool) string {
	levels := []string{"", "a", "b", "c", "$x", fmt.Sprint("n", rng.IntN(30))}
	if wildcards {
		levels = append(levels, "+", "+")
	}
	var path []string
	for range 1 + rng.IntN(4) {
		path = append(path, levels[rng.IntN(len(levels))])
	}
	if wildcards && rng.IntN(4) == 0 {
		path = append(path, "#")
	}
	if s := strings.Join(path, "/"); s != "" {
		return s
	}
	return "a"
}

// TestTreesAgainstMatch holds both trees against a list that asks Match of each pair.
func TestTreesAgainstMatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var tree Tree[string]
	var names Names[string]
	entries, known := []*Entry[string]{}, []string{}
	for range 4_000 {
		filter, name := randomPath(rng, true), randomPath(rng, false)
		switch rng.IntN(5) {
		case 0, 1:
			entries = append(entries, tree.Insert(filter, filter))
			if _, had := names.Set(name, name); had != slices.Contains(known, name) {
				t.Fatalf("Set(%q) had = %v", name, had)
			} else if !had {
				known = append(known, name)
			}
		case 2:
			if len(entries) > 60 {
				i := rng.IntN(len(entries))
				tree.Remove(entries[i])
				tree.Remove(entries[i])
				entries = slices.Delete(entries, i, i+1)
				names.Delete(known[0])
				known = known[1:]
			}
		}
		var got, want []string
		for _, e := range tree.Match(name, nil) {
			got = append(got, e.Value)
		}
		for _, e := range entries {
			if Match(e.Value, name) {
				want = append(want, e.Value)
			}
		}
		compare(t, "filters that match "+name, got, want)
		got, want = nil, nil
		names.Match(filter, func(v string) bool { got = append(got, v); return true })
		for _, n := range known {
			if Match(filter, n) {
				want = append(want, n)
			}
		}
		compare(t, "names that match "+filter, got, want)
	}
	for _, e := range entries {
		tree.Remove(e)
	}
	for _, n := range known {
		names.Delete(n)
	}
	if tree.Len() != 0 || len(tree.root.children) != 0 || tree.root.plus != nil || tree.root.hash != nil {
		t.Error("an emptied Tree still has nodes")
	}
	if names.Len() != 0 || len(names.root.children) != 0 {
		t.Error("emptied Names still have nodes")
	}
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a/+/#", "a/b")
	f.Add("$share/g/+", "$SYS")
	f.Add("#", "/")
	f.Fuzz(func(t *testing.T, filter, name string) {
		parsed, err := ParseFilter(filter)
		if err != nil || CheckName(name) != nil {
			return
		}
		var tree Tree[int]
		tree.Insert(parsed.Path, 1)
		if got, want := len(tree.Match(name, nil)) == 1, Match(parsed.Path, name); got != want {
			t.Errorf("Tree with %q matches %q: %v, Match says %v", parsed.Path, name, got, want)
		}
	})
}

func BenchmarkMatch100000(b *testing.B) {
	var tree Tree[int]
	for i := range 100_000 {
		tree.Insert(fmt.Sprintf("site/%d/+/unit%d/#", i%100, i/100), i)
	}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("site/%d/x/unit%d/temperature", i%100, i)
	}
	var found []*Entry[int]
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		if found = tree.Match(names[i%1000], found[:0]); len(found) != 1 {
			b.Fatal("found", len(found))
		}
	}
}
