package ledger

import (
	"cmp"
	"slices"
	"time"

	"mqttlab/reports/model"
)

// keptStorms bounds the storms of a record; the worst are kept.
const keptStorms = 20

// fewest is how many devices make a storm: two of ten that lose their connection are an accident.
const fewest = 5

// calm is how long a storm must be over to be over: devices that come back in two batches come back from one storm.
const calm = 10 * time.Second

// storms finds the times in which more than a twentieth of the devices are away: without a connection against their will. It begins to look once the
// fleet has been up: nineteen of twenty devices connected, or asleep because they want to be.
type storms struct {
	devices int64
	away    int64
	armed   bool
	now     *storm // nil: none
	past    []storm
}

type storm struct {
	model.Storm
	mostAt   time.Duration // the last moment with Away devices away
	backAt   time.Duration // since when no more than a twentieth are away; negative: they are
	second   int64         // the one that inSecond counts
	inSecond int64
}

// moved takes one device's step: whether it was and is away, whether it attempts to connect again, and how many devices are where they want to be.
func (s *storms) moved(at time.Duration, was, is, attempt bool, settled int64) {
	switch {
	case is && !was:
		s.away++
	case was && !is:
		s.away--
	}
	s.armed = s.armed || settled*20 >= s.devices*19
	bad := s.away >= fewest && s.away*20 > s.devices
	s.finish(at)
	switch {
	case s.now == nil && s.armed && bad:
		s.now = &storm{Storm: model.Storm{StartMS: model.Millis(at)}, second: -1, backAt: -1}
	case s.now == nil:
		return
	case bad:
		s.now.backAt = -1
	case s.now.backAt < 0:
		s.now.backAt = at
	}
	s.now.step(at, s.away, attempt)
}

// finish keeps the present storm if it has been over for long enough.
func (s *storms) finish(at time.Duration) {
	if s.now != nil && s.now.backAt >= 0 && at-s.now.backAt > calm {
		s.keep(*s.now)
		s.now = nil
	}
}

// model is the storm in the form of a record.
func (w *storm) model() model.Storm {
	out := w.Storm
	if w.backAt >= 0 {
		back := model.Millis(w.backAt - w.mostAt)
		out.BackMS = &back
	}
	return out
}

func (w *storm) step(at time.Duration, away int64, attempt bool) {
	if away >= w.Away {
		w.Away, w.mostAt = away, at
	}
	if !attempt {
		return
	}
	w.Attempts++
	if second := int64(at / time.Second); second != w.second {
		w.second, w.inSecond = second, 0
	}
	w.inSecond++
	if w.inSecond > w.HerdPeak {
		w.HerdPeak, w.PeakMS = w.inSecond, model.Millis(time.Duration(w.second)*time.Second)
	}
}

// keep adds a storm that is over, in place of the mildest where there are too many.
func (s *storms) keep(w storm) {
	s.past = append(s.past, w)
	if len(s.past) > keptStorms {
		mildest := 0
		for i := range s.past {
			if s.past[i].Away < s.past[mildest].Away {
				mildest = i
			}
		}
		s.past = slices.Delete(s.past, mildest, mildest+1)
	}
}

// Storms returns the storms so far, the one that still rages included.
func (b *Book) Storms() []model.Storm {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.storms.past
	if b.storms.now != nil {
		all = append(slices.Clone(all), *b.storms.now)
	}
	var out []model.Storm
	for i := range all {
		out = append(out, all[i].model())
	}
	slices.SortStableFunc(out, func(a, b model.Storm) int { return cmp.Compare(a.StartMS, b.StartMS) })
	return out
}
