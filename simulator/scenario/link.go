package scenario

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"mqttlab/netem/link"
	"mqttlab/netem/profile"
)

// kind takes the name of a profile, or a link figure by figure.
func (l *Link) kind() kind {
	figures := mapping(l.fields(), nil)
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			if _, scalar := n.(ast.ScalarNode); scalar {
				l.Profile = n.GetToken().Value
				if _, err := profile.Lookup(l.Profile); err != nil {
					r.wrong(n, path, "%v", err)
				}
				return
			}
			*l = Link{}
			figures.read(r, n, path)
		},
		value: func() any {
			if l.Profile != "" {
				return l.Profile
			}
			return l.fields().yaml()
		},
		schema: func() *Schema {
			var names []string
			for _, p := range profile.All() {
				names = append(names, p.Name)
				for _, q := range profile.Qualities() {
					names = append(names, p.Name+":"+q)
				}
			}
			return &Schema{AnyOf: []*Schema{oneOf(names), (&Link{}).fields().schema()}}
		},
	}
}

// ParseLink reads a file that holds the figures of one link: what stands under the key
// link of a group. The error is like that of Parse.
func ParseLink(file string, text []byte) (Link, error) {
	r := newReader(file)
	var l Link
	if body := r.document(text); body != nil {
		l.fields().read(r, body, "")
	}
	return l, r.err()
}

// YAML returns the figures of the link, in the form that ParseLink reads.
func (l *Link) YAML() (string, error) {
	out, err := yaml.Marshal(l.fields().yaml())
	if err != nil {
		return "", fmt.Errorf("print the figures of a link: %w", err)
	}
	return string(out), nil
}

func (l *Link) fields() fields {
	return fields{
		{"up", "From the device.", direction(&l.Up)},
		{"down", "To the device.", direction(&l.Down)},
		{"mtu_bytes", "The largest IP packet. Default 1500.", integer(&l.MTUBytes, 576, 65535).follows().unless(func() bool { return l.MTUBytes == 0 })},
	}
}

// direction is a link figure by figure. link.Config says more about each.
func direction(c *link.Config) kind {
	return mapping(slices.Concat(delayFields(c), lossFields(c), rateFields(c), fields{
		{"reorder_ratio", "The part of the packets that is held back.", number(&c.ReorderRatio, 0, 1)},
		{"reorder_delay", "How long it is held back.", duration(&c.ReorderDelay, 0, link.MaxDelay)},
		{"duplicate_ratio", "The part of the packets that comes twice.", number(&c.DuplicateRatio, 0, 1)},
		{"outages", "Times without a link.", list(&c.Outages, func() (o link.Outage) { return o }, outage, nil)},
		{"trace", "A recording of rate, delay and loss over time.", trace(&c.Trace)},
		{"sleep", "A receiver that does not always listen.", sleep(&c.Sleep)},
	}), func(r *reader, n ast.Node, path string) {
		if err := c.Validate(); err != nil {
			r.wrong(n, path, "%v", err)
		}
	})
}

func delayFields(c *link.Config) fields {
	shapes := []link.Distribution{link.Normal, link.Uniform, link.Pareto}
	var names []string
	for _, d := range shapes {
		names = append(names, d.String())
	}
	return fields{
		{"delay", "Propagation, on average.", duration(&c.Delay, 0, link.MaxDelay)},
		{"jitter", "Standard deviation of the delay.", duration(&c.Jitter, 0, link.MaxDelay)},
		{"jitter_distribution", "Shape of the jitter.", choice(&c.JitterDistribution, names, shapes...)},
		{"delay_quantiles", "A measured distribution instead of the three above: sorted delays, at equal steps of probability.", durations(&c.DelayQuantiles, link.MaxDelay)},
		{"jitter_correlation", "How long the jitter remembers.", duration(&c.JitterCorrelation, 0, link.MaxDelay)},
		{"unordered", "Whether packets may overtake each other.", boolean(&c.Unordered)},
	}
}

func lossFields(c *link.Config) fields {
	g, f := &c.GilbertElliott, &c.FourState
	return fields{
		{"loss_ratio", "The part of the packets that is lost.", number(&c.LossRatio, 0, 1)},
		{"loss_burst_packets", "The mean number of packets lost in a row; 0: independent losses.", number(&c.LossBurstPackets, 0, 1e6)},
		{"gilbert_elliott", "Loss in bursts: a good and a bad state.", mapping(fields{
			{"good_to_bad", "Probability per packet.", number(&g.GoodToBad, 0, 1)},
			{"bad_to_good", "Probability per packet.", number(&g.BadToGood, 0, 1)},
			{"loss_good", "Loss in the good state.", number(&g.LossGood, 0, 1)},
			{"loss_bad", "Loss in the bad state.", number(&g.LossBad, 0, 1)},
			{"step_every", "How long a pause counts as a packet; 0s: pauses do not count.", duration(&g.StepEvery, 0, link.MaxDelay)},
		}, nil).unless(func() bool { return *g == link.GilbertElliott{} })},
		{"four_state", "Loss in bursts with pauses inside, and single losses, as in Linux netem.", mapping(fields{
			{"gap_to_burst", "p13: probability per packet.", number(&f.GapToBurst, 0, 1)},
			{"burst_to_gap", "p31: probability per packet.", number(&f.BurstToGap, 0, 1)},
			{"burst_to_pause", "p32: probability per packet.", number(&f.BurstToPause, 0, 1)},
			{"pause_to_burst", "p23: probability per packet.", number(&f.PauseToBurst, 0, 1)},
			{"gap_to_single_loss", "p14: probability per packet.", number(&f.GapToSingleLoss, 0, 1)},
		}, nil).unless(func() bool { return *f == link.FourState{} })},
		{"corrupt_ratio", "The part of the packets that is damaged, which checksums turn into a loss.", number(&c.CorruptRatio, 0, 1)},
		{"bit_error_ratio", "The part of the bits that is damaged.", number(&c.BitErrorRatio, 0, 1)},
		{"mtu_bytes", "Larger packets vanish. 0: none does.", integer(&c.MTUBytes, 0, 65535)},
		{"fragment_bytes", "What a frame carries of a packet, which is lost if one frame is. 0: packets stay whole.", integer(&c.FragmentBytes, 0, 65535)},
	}
}

func rateFields(c *link.Config) fields {
	q, s := &c.CoDel, &c.Slots
	return fields{
		{"rate_bits_per_second", "0: unlimited.", number(&c.RateBitsPerSecond, 0, 1e12)},
		{"overhead_bytes", "Per packet or fragment, below IP.", integer(&c.OverheadBytes, 0, 1<<16)},
		{"duty_cycle_ratio", "The part of the time that may be spent on the air. 0: all.", number(&c.DutyCycleRatio, 0, 1)},
		{"slots", "The only times at which packets are sent.", slots(s).unless(func() bool { return s.Interval == 0 })},
		{"queue_bytes", "Before the link; what does not fit is lost. 0: unlimited.", integer(&c.QueueBytes, 0, 1<<30)},
		{"codel", "Loses packets before the queue is full, because of their wait (RFC 8289).", mapping(fields{
			{"target", "The wait that is tolerated; the RFC has 5ms.", duration(&q.Target, 0, link.MaxDelay)},
			{"interval", "How long a burst may last; the RFC has 100ms.", duration(&q.Interval, 0, link.MaxDelay)},
		}, nil).unless(func() bool { return *q == link.CoDel{} })},
	}
}

func slots(s *link.Slots) kind {
	name := ""
	return mapping(fields{
		{"interval", "Between two slots, or the period of starts.", duration(&s.Interval, 0, link.MaxTrace)},
		{"starts", "The slots of a period. Default: one.", durations(&s.Starts, link.MaxTrace)},
		{"bytes", "What a slot carries.", integer(&s.Bytes, 0, 1<<30)},
		{"mahimahi_file", "A packet delivery trace of Mahimahi instead, beside this file.", beside(&name)},
	}, func(r *reader, n ast.Node, path string) {
		if name == "" {
			return
		}
		if s.Interval != 0 || s.Starts != nil || s.Bytes != 0 {
			r.wrong(n, path, "mahimahi_file excludes the other keys: it says all of them")
			return
		}
		load(r, n, path, name, func(f io.Reader) (err error) { *s, err = link.ParseMahimahi(f); return err })
	})
}

func trace(t *link.Trace) kind {
	name := ""
	return mapping(fields{
		{"file", "The rows as CSV with the columns time_seconds, rate_bits_per_second, delay_milliseconds and loss_ratio, beside this file.", beside(&name)},
		{"rows", "Each holds until the next.", list(&t.Rows, func() (r link.TraceRow) { return r }, func(r *link.TraceRow) fields {
			return fields{
				{"at", "Since the start of the run.", duration(&r.At, 0, link.MaxTrace)},
				{"rate_bits_per_second", "0: nothing gets through, or if no row has a rate, that of the link.", number(&r.RateBitsPerSecond, 0, 1e12)},
				{"delay", "On top of that of the link.", duration(&r.Delay, 0, link.MaxDelay)},
				{"loss_ratio", "On top of that of the link.", number(&r.LossRatio, 0, 1)},
			}
		}, nil)},
		{"repeat", "When the trace begins again. 0s: the last row stays.", duration(&t.Repeat, 0, link.MaxTrace)},
	}, func(r *reader, n ast.Node, path string) {
		if name == "" {
			return
		}
		if t.Rows != nil {
			r.wrong(n, path, "file and rows exclude each other: choose one")
			return
		}
		load(r, n, path, name, func(f io.Reader) error {
			read, err := link.ParseTrace(f)
			t.Rows = read.Rows
			return err
		})
	}).unless(func() bool { return t.Rows == nil })
}

func sleep(s *link.Sleep) kind {
	return mapping(fields{
		{"interval", "Between two wake-ups. 0s: always awake.", duration(&s.Interval, 0, link.MaxSleep)},
		{"window", "How long it listens at each.", duration(&s.Window, 0, link.MaxSleep)},
		{"awake_after_traffic", "How long it listens after a packet in either direction.", duration(&s.AwakeAfterTraffic, 0, link.MaxSleep)},
		{"after_traffic", "Whether the interval counts from the latest packet.", boolean(&s.AfterTraffic)},
		{"discard", "Whether packets are lost meanwhile, instead of kept.", boolean(&s.Discard)},
	}, nil).unless(func() bool { return *s == link.Sleep{} })
}

func outage(o *link.Outage) fields {
	return fields{
		{"start", "From the start of the run.", duration(&o.Start, 0, longest)},
		{"duration", "How long the link is gone.", duration(&o.Duration, time.Millisecond, longest)},
		{"every", "Period with which it comes again; 0s: once.", duration(&o.Every, 0, longest)},
		{"hold", "Whether packets wait for the end instead of being lost.", boolean(&o.Hold)},
	}
}

// durations reads a list of times.
func durations(dst *[]time.Duration, high time.Duration) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			nodes, ok := n.(*ast.SequenceNode)
			if !ok {
				r.wrong(n, path, "must be a list such as [20ms, 25ms]")
				return
			}
			for i, v := range nodes.Values {
				at := path + "[" + strconv.Itoa(i) + "]"
				r.lines[at] = v.GetToken().Position.Line
				var d time.Duration
				duration(&d, 0, high).read(r, v, at)
				*dst = append(*dst, d)
			}
		},
		value: func() any {
			var out []string
			for _, d := range *dst {
				out = append(out, Span(d))
			}
			if out == nil {
				return nil
			}
			return out
		},
		schema: func() *Schema {
			return &Schema{Type: "array", Items: duration(new(time.Duration), 0, high).schema()}
		},
	}
}

// beside reads the name of a file in the folder of the scenario, which the resolved
// form does not keep: it holds what was read.
func beside(dst *string) kind {
	return text(dst).unless(func() bool { return true })
}

// mostFileBytes is the largest file that a scenario may name.
const mostFileBytes = 64 << 20

// load reads a file that a scenario names. It must lie in the scenario's folder or below,
// so that a scenario of somebody else's reads nothing else.
func load(r *reader, n ast.Node, path, name string, parse func(io.Reader) error) {
	f, err := os.OpenInRoot(filepath.Dir(r.file), name)
	if err != nil {
		r.wrong(n, path, "%v: files must be in the scenario's folder", err)
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > mostFileBytes {
		r.wrong(n, path, "%s must be a file of at most %d MiB", name, mostFileBytes>>20)
		return
	}
	if err := parse(f); err != nil {
		r.wrong(n, path, "%s: %v", name, err)
	}
}
