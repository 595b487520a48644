package scenario

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sharedOut is a scenario with a line at its top and one of each group.
func sharedOut(top string, groups ...string) string {
	text := "name: a\nduration: 1m\n" + top + "\ngroups:\n"
	for i, g := range groups {
		text += fmt.Sprintf("  - name: g%d\n    %s\n    interval: 1s\n", i, g)
	}
	return text
}

func TestSharesBecomeCounts(t *testing.T) {
	for _, c := range []struct {
		top    string
		groups []string
		want   []int
	}{
		{"devices: 1000", []string{"share: 30%", "share: 0.7"}, []int{300, 700}},
		{"devices: 1000", []string{"share: 30.5%", "count: 10", "share: 69.5%"}, []int{302, 10, 688}},
		// Of quotas 3.33, 3.33 and 3.34 the last lacks most; of 2.5 and 2.5 the first gets the device.
		{"devices: 10", []string{"share: 33.3%", "share: 33.3%", "share: 33.4%"}, []int{3, 3, 4}},
		{"devices: 5", []string{"share: 50%", "share: 50%"}, []int{3, 2}},
		{"devices: 11", []string{"share: .1", "share: .1", "share: .1", "share: .1", "share: .1", "share: .1", "share: .1", "share: .1", "share: .1", "share: .1"}, []int{2, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
		{"devices: 1000000", []string{"share: 0.000001%", "share: 99.999999%"}, nil},
		{"devices: 7", []string{"share: 100%"}, []int{7}},
		{"devices: 7", []string{"share: 1"}, []int{7}},
		{"devices: 7", []string{"count: 3", "count: 4"}, []int{3, 4}},
	} {
		s, err := Parse("f.yaml", []byte(sharedOut(c.top, c.groups...)))
		if c.want == nil {
			if want := "groups[0].share: of 1000000 devices is none"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, want %s", c.groups, err, want)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		var got []int
		for _, g := range s.Groups {
			got = append(got, g.Count)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, %v: (-want +got)\n%s", c.top, c.groups, diff)
		}
		if text, err := s.YAML(); err != nil || strings.Contains(text, "share") || !strings.Contains(text, fmt.Sprintf("count: %d", c.want[0])) {
			t.Errorf("resolved, %v:\n%s", err, text)
		}
	}
}

func TestMistakesOfShares(t *testing.T) {
	for _, c := range []struct {
		top    string
		groups []string
		want   string
	}{
		{"seed: 1", []string{"share: 40%", "share: 60%"}, `f.yaml:6: groups[0].share: needs the key devices at the top: a share of how many?`},
		{"devices: 10", []string{"share: 40%", "share: 50.5%"}, `f.yaml:4: groups: have shares that add up to 90.5 %: want 100 %`},
		{"devices: 10", []string{"share: 40%", "count: 10"}, `f.yaml:3: devices: is 10, and the counts of groups take 10: they leave nothing to share`},
		{"devices: 10", []string{"count: 4", "count: 5"}, `f.yaml:3: devices: is 10, but the counts of the groups add up to 9`},
		{"devices: 0", []string{"share: 100%"}, `f.yaml:3: devices: 0 is out of range: want 1 to 1000000`},
		// Several at once. A sum over them would be guesswork.
		{"devices: 10", []string{"share: 30", "share: -1%", "share: 0%", "share: [1]", "share: 1e1%", "count: 3\n    share: 20%", "qos: 1"}, `
f.yaml:6: groups[0].share: "30" is no share: want more than 0% and up to 100%, such as 30% or 0.3
f.yaml:9: groups[1].share: "-1%" is no share: want more than 0% and up to 100%, such as 30% or 0.3
f.yaml:12: groups[2].share: "0%" is no share: want more than 0% and up to 100%, such as 30% or 0.3
f.yaml:15: groups[3].share: must be a share such as 30%
f.yaml:18: groups[4].share: "1e1%" is no share: want more than 0% and up to 100%, such as 30% or 0.3
f.yaml:22: groups[5].share: excludes count: choose one
f.yaml:24: groups[6].count: is missing: how many devices, as count or share?`},
	} {
		_, err := Parse("f.yaml", []byte(sharedOut(c.top, c.groups...)))
		if err == nil {
			t.Errorf("%s, %v: no mistake was found", c.top, c.groups)
			continue
		}
		if diff := cmp.Diff(strings.TrimSpace(c.want), err.Error()); diff != "" && c.want != "" {
			t.Errorf("%s, %v: (-want +got)\n%s", c.top, c.groups, diff)
		}
	}
}
