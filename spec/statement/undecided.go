package statement

// undecided are the statements that bind a server and of which no check can say whether they hold, each with the reason.
var undecided = map[ID]string{
	"X5-4.1-3": "no statement asks a server to keep Sessions over a restart: whether it does is a feature, not conformance",
}

// Undecided says why no check covers a statement, "" if one can.
func Undecided(id ID) string { return undecided[id] }
