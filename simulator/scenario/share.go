package scenario

import (
	"math/big"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// sharePattern is a part of one, or as many in a hundred. It bounds the digits, so that arithmetic stays exact and small.
const sharePattern = `^(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?)%$|^(1(\.0{1,9})?|0?\.[0-9]{1,9})$`

var shareForm = regexp.MustCompile(sharePattern)

// share reads what part of the devices a group is. The reader keeps it until all groups are known: a scenario has counts only.
func share() kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			s, ok := r.scalar(n, path, "a share such as 30%")
			if !ok {
				return
			}
			v := new(big.Rat)
			if shareForm.MatchString(s) {
				if s[len(s)-1] == '%' {
					v.SetString(s[:len(s)-1])
					v.Quo(v, big.NewRat(100, 1))
				} else {
					v.SetString(s)
				}
			}
			if v.Sign() == 0 {
				r.wrong(n, path, "%q is no share: want more than 0%% and up to 100%%, such as 30%% or 0.3", s)
				return
			}
			r.shares[path] = v
		},
		value: func() any { return nil },
		schema: func() *Schema {
			return &Schema{AnyOf: []*Schema{
				{Type: "string", Pattern: sharePattern, note: "A part such as 30%."},
				number(new(float64), 0, 1).schema(),
			}}
		},
	}
}

// total reads the number of all devices, which shares are of. It is kept as shares are.
func total() kind {
	n := 0
	k := integer(&n, 1, mostDevices)
	read := k.read
	k.read = func(r *reader, node ast.Node, path string) {
		read(r, node, path)
		r.devices = n
	}
	k.value = func() any { return nil }
	return k
}

// deal turns shares into counts. Groups with a count take theirs, and shares are of what those leave.
func (s *Scenario) deal(r *reader) {
	var sharers []int // groups
	counted, mistaken := 0, false
	for i := range s.Groups {
		at := r.item("groups", i)
		_, shares := r.lines[at+".share"]
		if shares && r.lines[at+".count"] > 0 {
			r.wrongAt(at+".share", "excludes count: choose one")
		}
		mistaken = mistaken || r.mentions(at+".count") || r.mentions(at+".share")
		if shares {
			sharers = append(sharers, i)
		}
		counted += s.Groups[i].Count
	}
	switch {
	case mistaken, r.mentions("devices"), r.lines["devices"] == 0 && sharers == nil:
	case r.lines["devices"] == 0:
		r.wrongAt(r.item("groups", sharers[0])+".share", "needs the key devices at the top: a share of how many?")
	case sharers == nil && counted != r.devices:
		r.wrongAt("devices", "is %d, but the counts of the groups add up to %d", r.devices, counted)
	case sharers != nil && counted >= r.devices:
		r.wrongAt("devices", "is %d, and the counts of groups take %d: they leave nothing to share", r.devices, counted)
	case sharers != nil:
		s.dealOut(r, sharers, r.devices-counted)
	}
}

// dealOut gives each of these groups its share of n devices: whole ones first, and what is left to those that lack most (largest remainder),
// of equals to the first.
func (s *Scenario) dealOut(r *reader, sharers []int, n int) {
	type claim struct {
		group *Group
		rest  *big.Rat
	}
	claims := make([]claim, 0, len(sharers))
	sum, left := new(big.Rat), n
	for _, i := range sharers {
		part := r.shares[r.item("groups", i)+".share"]
		sum.Add(sum, part)
		exact := new(big.Rat).Mul(part, big.NewRat(int64(n), 1))
		whole := new(big.Int).Quo(exact.Num(), exact.Denom())
		s.Groups[i].Count = int(whole.Int64())
		left -= s.Groups[i].Count
		claims = append(claims, claim{&s.Groups[i], exact.Sub(exact, new(big.Rat).SetInt(whole))})
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		percent, _ := sum.Float64()
		r.wrongAt("groups", "have shares that add up to %.10g %%: want 100 %%", 100*percent)
		return
	}
	slices.SortStableFunc(claims, func(a, b claim) int { return b.rest.Cmp(a.rest) })
	for _, c := range claims[:left] {
		c.group.Count++
	}
	for _, i := range sharers {
		if s.Groups[i].Count == 0 {
			r.wrongAt(r.item("groups", i)+".share", "of %d devices is none", n)
		}
	}
}
