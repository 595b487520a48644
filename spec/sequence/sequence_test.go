package sequence

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var words = []Word{{"a", 5}, {"b", 1}, {"c", 1}, {"never", 0}}

func TestDrawFollowsTheSource(t *testing.T) {
	draw := func(seed uint64) Case { return Draw(rand.New(rand.NewPCG(seed, 0)), words, 70) }
	if diff := cmp.Diff(draw(1), draw(1)); diff != "" {
		t.Error("the same source gives different cases:", diff)
	}
	if slices.Equal(draw(1), draw(2)) {
		t.Error("different sources give the same case")
	}
	counts := map[string]int{}
	for seed := range uint64(20) {
		for _, w := range draw(seed) {
			counts[w]++
		}
	}
	if counts["a"] < 3*counts["b"] || counts["b"] == 0 || counts["c"] == 0 || counts["never"] != 0 {
		t.Errorf("the weights are not kept: %v", counts)
	}
}

func TestShrinkFindsTheShortest(t *testing.T) {
	// It fails with a b that has two c behind it.
	fails := func(c Case) bool {
		_, after, found := strings.Cut(c.String(), "b")
		return found && strings.Count(after, "c") >= 2
	}
	asked := 0
	first := func(cases []Case) int {
		asked += len(cases)
		return slices.IndexFunc(cases, fails)
	}
	long := Case(strings.Fields("a c a b a a c b a a c a c a a"))
	if got := Shrink(long, first, 1000).String(); got != "b c c" {
		t.Errorf("shrunk to %q, want %q", got, "b c c")
	}
	asked = 0
	if got := Shrink(long, first, 5); !fails(got) || asked != 5 {
		t.Errorf("%q after %d tries, want a case that fails after 5", got, asked)
	}
	if got := Shrink(Case{"a"}, func(cases []Case) int { return len(cases) - 1 }, 10); len(got) != 1 {
		t.Errorf("a case of one step became %q", got)
	}
}

func TestParse(t *testing.T) {
	if c, err := Parse(" a  b\nc ", words); err != nil || c.String() != "a b c" {
		t.Errorf("%q, %v", c, err)
	}
	_, err := Parse("a x b y", words)
	if want := `no step "x", "y"; there are a, b, c, never`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
