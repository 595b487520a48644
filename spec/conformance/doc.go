// Package conformance is the kit that checks are made of: how one is declared, what it
// may say about a target, and how many of them are run.
//
// A [Check] is data and a function. The data names the statements it covers; from
// those follow the versions it runs in and how binding it is. The function gets a [T]
// for one version and holds a conversation:
//
//	var _ = conformance.Register(conformance.Check{
//		Name:   "SecondConnect",
//		Title:  "closes the Network Connection on a second CONNECT",
//		Covers: statement.IDs(statement.V311("3.1.0-2"), statement.V5("3.1.0-2")),
//		Run: func(_ context.Context, t *conformance.T) {
//			c := t.NewConnect()
//			p := t.ConnectWith(c)
//			p.Send(c)
//			t.WantClosed(p, "a second CONNECT is a Protocol Error", 0x82)
//		},
//	})
//
// A check that returns has passed. The first want that does not come true ends it with
// the verdict fail, or crash when the target then does not accept a fresh connection.
// Where the standard leaves room, the check names every acceptable outcome, best one
// first ([T.OneOf]); an outcome marked Nonstrict or Info gives that verdict. SHOULD and
// MAY never fail a run: a failed check whose statements do not bind is nonstrict.
//
// [Verify] runs checks, in both versions, several at a time, and never against a target it
// cannot reach. Names are drawn from a seed: the same seed gives the same
// conversations.
//
// # Design
//
// Checks are not Ginkgo specs, so that the same function runs under Ginkgo, under plain
// testing and in a synctest bubble, and so that lists, documents, coverage and reports
// all derive from the registry. A check ends by ending its goroutine, as in package
// testing; returning errors lost because it makes conversations unreadable.
//
// A target that dies while several checks talk to it does not tell which of them killed
// it. If it comes back, those that were running then are run once more, each alone. If
// it does not, the check that noticed is the crash, and all that is left is
// inconclusive.
package conformance
