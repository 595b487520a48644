package compare_test

import (
	"strings"
	"testing"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/model"
)

// stormy makes runs whose messages cost so much, a little differently in each, and whose storms lasted so long; 0: it was not over at the end.
func stormy(runs int, joules float64, storms ...time.Duration) []*model.Record {
	out := make([]*model.Record, runs)
	for i := range out {
		off := 1 + 0.001*float64(i%3)
		g := model.Group{Name: "g", Ledger: []model.Ledger{{QoS: 1, Sent: 1000, Delivered: 1000}}}
		if joules > 0 {
			g.Power = &model.Power{JoulesPerMessage: joules * off}
		}
		for _, d := range storms {
			s := model.Storm{}
			if d > 0 {
				back := model.Millis(float64(d) * off)
				s.BackMS = &back
			}
			g.Storms = append(g.Storms, s)
		}
		out[i] = &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Validity: model.Validity{Valid: true}, Groups: []model.Group{g}}}
	}
	return out
}

func TestEnergyAndStorms(t *testing.T) {
	const energy, back = "g, energy per message that arrived: ", "g, time until 95 % were back: "
	for name, c := range map[string]struct {
		a, b []*model.Record
		want []string // beginnings of lines
	}{
		"dearer, slower": {
			stormy(5, 0.25, time.Second, 4*time.Second), stormy(5, 0.5, 6*time.Second, time.Second),
			[]string{energy + "0.25 J and 0.5 J, B +100.0 % (+99.8 % to +100.2 %): costs more", back + "4 s and 6 s, B +50.0 % (+49.8 % to +50.2 %): slower"},
		},
		"cheaper, faster": {stormy(6, 0.5, time.Minute), stormy(5, 0.25, time.Second), []string{energy + "0.5 J and 0.25 J, B -50.0 %", back + "60.1 s and 1 s, B -98.3 %"}},
		"same":            {stormy(5, 0.5), stormy(5, 0.51), []string{energy + "0.5 J and 0.51 J, B +2.0 % (+1.9 % to +2.1 %): same"}},
		"few runs":        {stormy(1, 0.5, time.Second), stormy(1, 0.25, time.Second), []string{energy + "0.5 J and 0.25 J, B -50.0 %: not judged (needs 5 runs per arm)", back + "1 s and 1 s, B +0.0 %: not judged"}},
		"one knows":       {stormy(5, 0.5, time.Second), stormy(5, 0), nil},
		"never back":      {stormy(5, 0, time.Second), stormy(5, 0, time.Second, 0), []string{back + "not by the end in 0 of 5 and 5 of 5 runs: not judged"}},
		"nobody":          {stormy(5, 0), stormy(5, 0), nil},
	} {
		r := compared(t, c.a, c.b, compare.Options{})
		var text strings.Builder
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if len(r.Groups) != len(c.want) || strings.Contains(text.String(), "Energy, and storms") != (c.want != nil) {
			t.Errorf("%s: %d figures, want %d", name, len(r.Groups), len(c.want))
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), "\n  "+want) {
				t.Errorf("%s: no %q in\n%s", name, want, &text)
			}
		}
	}
}
