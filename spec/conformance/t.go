package conformance

import (
	"context"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/onsi/gomega"

	"mqttlab/reports/model"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/sequence"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// T is what the function of a check works with: one version, one run, names of its own.
// It belongs to the goroutine that runs the check. The Gomega it embeds judges values:
// t.Expect(m.Topic).To(gomega.Equal(topic)).
type T struct {
	gomega.Gomega

	ctx     context.Context
	target  *target.Target
	found   *target.Found
	timings probe.Timings
	version octets.Version
	log     *probe.Transcript
	id      string // unique for check, version, transport and run
	rand    *rand.Rand
	ids     int

	steps  []sequence.Word // of the check
	replay string          // the case to play instead of those drawn
	played string          // the case that failed

	caseJobs int  // how many cases run at a time
	suspects int  // the first case that may have killed the target, counted from 1; set before: the first to run, one by one
	stress   bool // bytes are cut and held up

	judged  *probe.Peer // the peer waited for last; its end goes into the record
	about   []statement.ID
	lenient bool // failures are nonstrict

	verdict Verdict
	reason  string
	failure *probe.Failure
	closed  string
	traces  traces

	mu    sync.Mutex // guards peers, which cancelling a run closes
	peers []*probe.Peer
	gone  bool
}

func newT(ctx context.Context, r *runner, c *Check, v octets.Version) *T {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s", c.FullName(), v)
	rnd := rand.New(rand.NewPCG(r.o.Seed, h.Sum64()))
	t := &T{
		ctx: ctx, target: r.o.Target, found: r.found[v], timings: r.timings[v], version: v,
		log: probe.NewTranscript(), rand: rnd, verdict: Pass,
		caseJobs: caseJobs, stress: r.o.Stress, steps: c.Steps, replay: r.o.Case,
	}
	t.id = t.newID()
	t.Gomega = gomega.NewGomega(t.unexpected)
	return t
}

// newID draws an id. It is another one over each transport, while all else that is drawn is the same: what a run leaves on the target is not
// met by the next.
func (t *T) newID() string {
	return fmt.Sprintf("%08x", t.rand.Uint32()^crc32.ChecksumIEEE([]byte(t.target.Transport())))
}

// unexpected is what a failed Expect comes to.
func (t *T) unexpected(message string, _ ...int) {
	f := mismatch(message)
	f.Sent = t.lastSent()
	t.Fail(f)
}

// Version is the version of this run.
func (t *T) Version() octets.Version { return t.version }

// V5 says whether this run is about MQTT 5.0.
func (t *T) V5() bool { return t.version == octets.V5 }

// Timings are the named waits of this target.
func (t *T) Timings() probe.Timings { return t.timings }

// Has says whether the target offers a feature. A check that cannot do without it
// names it in Needs instead.
func (t *T) Has(f target.Feature) bool { return t.found.Has(f) }

// Evidence is what each source says of a feature.
func (t *T) Evidence(f target.Feature) target.Evidence { return t.found.Evidence[f] }

// Limits are the numbers that the target announced.
func (t *T) Limits() target.Limits { return t.found.Limits }

// Settings are what somebody has set up on the target; see Needs.
func (t *T) Settings() target.Settings { return t.target.Settings }

// Rand is a source of random numbers that depends on the seed, the check and the
// version only.
func (t *T) Rand() *rand.Rand { return t.rand }

// Topic returns a Topic Name, or a Topic Filter, below a level that this run has for
// itself: Topic("a/b"), Topic("+").
func (t *T) Topic(name string) string { return "mqttlab/" + t.id + "/" + name }

// ClientID returns a new Client Identifier on each call. It has at most 23 characters,
// all of them letters and digits, which every server has to accept.
func (t *T) ClientID() string {
	t.ids++
	return "mqttlab" + t.id + strconv.Itoa(t.ids)
}

// NewConnect is a CONNECT with a new Client Identifier, a clean session, no Keep Alive
// and the credentials of the target. Change it at will before sending it.
func (t *T) NewConnect() octets.Connect { return t.target.Connect(t.ClientID()) }

// Dial opens a Network Connection and sends nothing.
func (t *T) Dial() *probe.Peer {
	conn, err := t.target.Open(t.ctx)
	if err != nil {
		t.Inconclusive(fmt.Sprintf("cannot connect: %v", err))
	}
	if t.stress {
		conn = probe.Stress(conn, t.rand.Uint64())
	}
	return t.peer(conn)
}

// peer makes a peer of a connection.
func (t *T) peer(conn net.Conn) *probe.Peer {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := probe.New(conn, probe.Options{
		Name: fmt.Sprintf("client %d", len(t.peers)+1), Version: t.version, Timings: t.timings, Log: t.log,
		Fail: t.Fail, Sent: t.traces.sent, Waits: func(p *probe.Peer) { t.judged = p },
	})
	t.peers = append(t.peers, p)
	t.judged = p
	if t.gone {
		conn.Close()
	}
	return p
}

// Connect opens a Network Connection and gets a [T.NewConnect] accepted.
func (t *T) Connect() *probe.Peer { return t.ConnectWith(t.NewConnect()) }

// ConnectWith opens a Network Connection and gets this CONNECT accepted. The CONNACK is
// that of [probe.Peer.Connack].
func (t *T) ConnectWith(c octets.Connect) *probe.Peer {
	p := t.Dial()
	p.Connect(c)
	return p
}

// About narrows the failures that follow to these statements, for checks that cover
// several. Without arguments it widens them to all again. Ids of the other version are
// passed over.
func (t *T) About(ids ...[]statement.ID) {
	t.about = nil
	for _, id := range statement.IDs(ids...) {
		if string(id.Version()) == t.version.String() {
			t.about = append(t.about, id)
		}
	}
}

// OneOf waits for what the target does about the last thing sent and wants it to be one
// of the outcomes, best first: the first that holds decides. It returns the reaction.
func (t *T) OneOf(p *probe.Peer, why string, outcomes ...Outcome) Reaction {
	_, sent := p.LastSent()
	end, packets := p.Reaction(func(got []*octets.Received) bool {
		return slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.early && o.match(Reaction{Packets: got}) })
	})
	r := Reaction{Packets: packets, End: end}
	t.observe(p)
	names := make([]string, len(outcomes))
	for i, o := range outcomes {
		if o.match(r) {
			t.note(o.verdict, o.reason)
			return r
		}
		names[i] = o.name
	}
	t.Fail(probe.Failure{Why: why, Sent: sent, Acceptable: names, Got: r.String(), Silent: len(packets) == 0 && (end == nil || end.Kind == probe.Hung)})
	return r
}

// WantClosed wants the target to close the connection because of the last thing sent,
// a Malformed Packet or a Protocol Error. The codes are those that fit, best first. In
// 3.1.1 any close will do, as there is nothing that could be said before it. In 5.0 a
// close without saying why is what 4.13.1 advises against, except in answer to
// CONNECT, and so is another code than those: both are nonstrict.
func (t *T) WantClosed(p *probe.Peer, why string, codes ...byte) Reaction {
	if !t.V5() {
		return t.OneOf(p, why, Closed())
	}
	silent := ClosedSilently()
	if accepted := p.Connack(); accepted != nil && accepted.Code == 0 {
		silent = silent.Nonstrict("closed without the DISCONNECT that 4.13.1 recommends")
	}
	return t.OneOf(p, why, ClosedWith(codes...), silent,
		ClosedWith().Nonstrict("closed with another reason code than "+codeList("", codes)),
	)
}

// Nonstrict records that the target did what is allowed, but not recommended. The check
// goes on.
func (t *T) Nonstrict(reason string) { t.note(Nonstrict, reason) }

// Info records what the target chose where the standard leaves it open. The check goes
// on.
func (t *T) Info(reason string) { t.note(Info, reason) }

// Unsupported ends the check: the target has shown that it does not offer what is
// needed.
func (t *T) Unsupported(reason string) { t.stop(Unsupported, reason) }

// Inconclusive ends the check: our set-up failed, nothing is said about the target.
func (t *T) Inconclusive(reason string) { t.stop(Inconclusive, reason) }

// Lenient makes the failures that follow nonstrict: for what the standard forbids the
// client without naming a reaction of the server, or calls usual without asking for it.
// A target that dies of it is a crash all the same.
func (t *T) Lenient() { t.lenient = true }

// Fail ends the check: a statement is broken.
func (t *T) Fail(f probe.Failure) {
	if len(f.Statements) == 0 {
		f.Statements = slices.Clone(t.about)
	}
	t.failure = &f
	t.stop(Fail, f.Why)
}

// note keeps the more serious of two milder verdicts.
func (t *T) note(v Verdict, reason string) {
	rank := []Verdict{Pass, Info, Nonstrict}
	if slices.Index(rank, v) > slices.Index(rank, t.verdict) {
		t.verdict, t.reason = v, reason
	}
}

func (t *T) stop(v Verdict, reason string) {
	t.verdict, t.reason = v, reason
	runtime.Goexit()
}

// observe records how the connection that is judged ended.
func (t *T) observe(p *probe.Peer) {
	switch end := p.End(); {
	case end == nil:
		t.closed = model.LeftOpen
	case !end.ByTarget():
	case end.Refusal != nil:
		t.closed = model.ClosedDisconnect
	case end.Kind == probe.RST:
		t.closed = model.ClosedRST
	default:
		t.closed = model.ClosedFIN
	}
}
