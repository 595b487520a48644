package statement

// undecided are the statements that bind a server and of which no check can say whether they hold, each with the reason.
var undecided = map[ID]string{}

// Undecided says why no check covers a statement, "" if one can.
func Undecided(id ID) string { return undecided[id] }
