package link

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesEveryMistake(t *testing.T) {
	c := Config{
		Delay: -time.Second, Jitter: 2 * time.Hour, JitterDistribution: 9, LossRatio: 1.5, RateBitsPerSecond: -1, QueueBytes: 10,
		ReorderRatio: math.NaN(), DuplicateRatio: -0.1, OverheadBytes: -4,
		GilbertElliott: GilbertElliott{GoodToBad: 0.1},
		Outages:        []Outage{{Start: 0, Duration: time.Minute}, {Start: 30 * time.Second, Duration: time.Minute}, {Duration: time.Minute, Every: time.Second}},
		Sleep:          Sleep{AwakeAfterTraffic: time.Second},
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, field := range []string{
		"Delay", "Jitter", "JitterDistribution", "LossRatio", "RateBitsPerSecond", "QueueBytes", "ReorderRatio", "DuplicateRatio",
		"OverheadBytes", "GilbertElliott.BadToGood", "GilbertElliott.LossBad", "LossRatio and GilbertElliott", "Outages[1]", "Outages[2].Every",
		"Sleep.AwakeAfterTraffic",
	} {
		found := false
		for _, line := range lines {
			found = found || strings.HasPrefix(line, field+" ")
		}
		if !found {
			t.Errorf("no line about %s in:\n%v", field, err)
		}
	}
}

func TestValidateAcceptsWhatItShould(t *testing.T) {
	for name, c := range map[string]Config{
		"zero":             {},
		"everything lost":  {LossRatio: 1},
		"normal jitter":    {Delay: 30 * time.Millisecond, Jitter: 10 * time.Millisecond},
		"independent runs": {LossRatio: 0.2, LossBurstPackets: 1.25},
		"single losses":    {FourState: FourState{GapToSingleLoss: 0.1}},
		"pareto jitter":    {Delay: 10 * time.Millisecond, Jitter: 17 * time.Millisecond, JitterDistribution: Pareto},
		"repeated outages": {Outages: []Outage{{Duration: time.Second, Every: time.Minute}, {Start: time.Hour, Duration: time.Second}}},
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateRefusesWhatWouldMislead(t *testing.T) {
	for want, c := range map[string]Config{
		"too large for a normal delay":   {Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond},
		"below three times Jitter":       {Delay: 100 * time.Millisecond, Jitter: 10 * time.Millisecond, JitterCorrelation: 20 * time.Millisecond},
		"is the unit right?":             {RateBitsPerSecond: 0.25},
		"never be reached":               {GilbertElliott: GilbertElliott{BadToGood: 0.1, LossBad: 1}},
		"without a rate nothing ever":    {QueueBytes: 4000},
		"above 0 when ReorderRatio":      {ReorderRatio: 0.1},
		"a full-size packet never fits":  {RateBitsPerSecond: 1000, QueueBytes: 100},
		"must be between 0 and 1":        {LossRatio: 30},
		"DelayQuantiles has one value":   {DelayQuantiles: []time.Duration{ms}},
		"it holds all of them":           {DelayQuantiles: []time.Duration{ms, ms}, Delay: ms},
		"sort them":                      {DelayQuantiles: []time.Duration{2 * ms, ms}},
		"Sleep.Interval is 10000h0m0s":   {Sleep: Sleep{Interval: 10000 * time.Hour}},
		"Sleep.Window is 2ms":            {Sleep: Sleep{Interval: ms, Window: 2 * ms}},
		"Sleep.Window needs":             {Sleep: Sleep{Window: 2 * ms}},
		"Sleep.Discard need":             {Sleep: Sleep{Discard: true}},
		"DutyCycleRatio needs":           {DutyCycleRatio: 0.01},
		"make the slots rarer":           {DutyCycleRatio: 0.01, RateBitsPerSecond: 1e6, Slots: Slots{Interval: ms, Bytes: 1}},
		"nothing ever waits":             {CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}},
		"how long may packets wait":      {CoDel: CoDel{Interval: 100 * ms}, RateBitsPerSecond: 1e9},
		"RFC 8289 has 100ms":             {CoDel: CoDel{Target: 5 * ms}, RateBitsPerSecond: 1e9},
		"a full packet alone takes 12ms": {CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}, RateBitsPerSecond: 1e6},
		"alone takes 120ms":              {CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}, Slots: Slots{Interval: 30 * ms, Bytes: 400}},
		"when do the slots repeat":       {Slots: Slots{Bytes: 100}},
		"how much does a slot carry":     {Slots: Slots{Interval: ms}},
		"Slots.Starts[1] is 3ms":         {Slots: Slots{Interval: 2 * ms, Bytes: 1, Starts: []time.Duration{0, 3 * ms}}},
		"carry their bytes at once":      {Slots: Slots{Interval: 2 * ms, Bytes: 1, Starts: []time.Duration{0}}, RateBitsPerSecond: 1e6},
		"longer than Slots.Interval":     {Slots: Slots{Interval: 2 * ms, Bytes: 1000}, RateBitsPerSecond: 1e6},
		"there is nothing to repeat":     {Trace: Trace{Repeat: ms}},
		"Trace.Rows[0].At is 1ms":        {Trace: Trace{Rows: []TraceRow{{At: ms}}}},
		"Trace.Rows[1].LossRatio is 2":   {Trace: Trace{Rows: []TraceRow{{}, {At: ms, LossRatio: 2}}}},
		"later than the last row at":     {Trace: Trace{Rows: []TraceRow{{}, {At: ms}}, Repeat: ms}},
		"in the last row, for ever":      {Trace: Trace{Rows: []TraceRow{{RateBitsPerSecond: 100}, {At: ms}}}},
		"Slots and a Trace with rates":   {Trace: Trace{Rows: []TraceRow{{RateBitsPerSecond: 100}}}, Slots: Slots{Interval: ms, Bytes: 1}},
		"RateBitsPerSecond and a Trace":  {Trace: Trace{Rows: []TraceRow{{RateBitsPerSecond: 100}}}, RateBitsPerSecond: 100},
		"above 1 Tbit/s":                 {RateBitsPerSecond: 1e13},
		"have runs of 1.429 already":     {LossRatio: 0.3, LossBurstPackets: 1.1},
		"how many of all packets":        {LossBurstPackets: 3},
		"no burst ends":                  {LossRatio: 1, LossBurstPackets: 3},
		"set GapToSingleLoss":            {LossRatio: 0.1, FourState: FourState{GapToSingleLoss: 0.1}},
		"bursts would never be left":     {FourState: FourState{GapToBurst: 0.1}},
		"bursts would never be reached":  {FourState: FourState{BurstToGap: 0.1}},
		"pause in a burst would never":   {FourState: FourState{GapToBurst: 0.1, BurstToGap: 0.5, BurstToPause: 0.1}},
		"sum to 1.2":                     {FourState: FourState{GapToBurst: 0.1, BurstToGap: 0.6, BurstToPause: 0.6, PauseToBurst: 0.5}},
		"choose one":                     {GilbertElliott: GilbertElliott{GoodToBad: 0.1, BadToGood: 0.1, LossBad: 1}, FourState: FourState{GapToSingleLoss: 0.1}},
		"CorruptRatio is -0.1":           {CorruptRatio: -0.1},
		"a link that is dead":            {BitErrorRatio: 1},
		"smallest that IPv4 allows":      {MTUBytes: 20},
		"below 2134 a full-size packet":  {RateBitsPerSecond: 1e6, QueueBytes: 2000, MTUBytes: 1280, FragmentBytes: 96, OverheadBytes: 61, LossRatio: 0.1},
		"FragmentBytes is 4":             {FragmentBytes: 4},
		"must be between 0 and 1h0m0s":   {Delay: 60_000 * time.Second},
		"Outages[0].Duration is 0s":      {Outages: []Outage{{}}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestOutagesOverlap compares with looking at every instant.
func TestOutagesOverlap(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	outage := func() (o Outage) {
		o = Outage{Start: time.Duration(random.IntN(30)), Duration: time.Duration(1 + random.IntN(6))}
		if random.IntN(3) > 0 {
			o.Every = o.Duration + time.Duration(1+random.IntN(12))
		}
		return o
	}
	down := func(o Outage, at time.Duration) bool {
		_, lost := (&Model{config: Config{Outages: []Outage{o}}}).duringOutage(int64(at))
		return lost
	}
	both := 0
	for range 500 {
		o, p := outage(), outage()
		want := false
		for at := range time.Duration(360) { // longer than the starts and any common period
			want = want || down(o, at) && down(p, at)
		}
		if want {
			both++
		}
		if o.overlaps(p) != want || p.overlaps(o) != want {
			t.Fatalf("%v and %v: %v and %v, want %v", o, p, o.overlaps(p), p.overlaps(o), want)
		}
	}
	if both < 100 || both > 400 {
		t.Errorf("%d of 500 overlap: the test sees one side only", both)
	}
}

func TestOutagesThatContradictAreRefused(t *testing.T) {
	for schedule, want := range map[string]string{
		"60s+30s,80s+5s":         "Outages[1] (1m20s+5s) overlaps Outages[0] (1m0s+30s)",
		"60s+30s/10m,~0s+10s/7m": "Outages[1] (~0s+10s/7m0s) holds packets that are lost in",
		"~1h+1m,0s+5s/10m":       "Outages[1] (0s+5s/10m0s) holds packets",
		"60s+30s/10m,0s+10s/7m":  "",
		"60s+30s/10m,~0s+30s/5m": "",
	} {
		outages, err := ParseOutages(schedule)
		if err != nil {
			t.Fatal(err)
		}
		c := Config{Outages: outages}
		err = c.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: want %q, got %v", schedule, want, err)
		}
		for i, o := range outages {
			if again, err := ParseOutages(o.String()); err != nil || again[0] != outages[i] {
				t.Errorf("%v is read as %v, %v", o, again, err)
			}
		}
	}
}
