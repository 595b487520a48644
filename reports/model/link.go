package model

// LinkRun is what the emulated link between checks and target did in a conformance run.
type LinkRun struct {
	Profile     string        `json:"profile"` // "lte-m:bad"
	Connections int64         `json:"connections"`
	Up          LinkDirection `json:"up"` // from the checks to the target
	Down        LinkDirection `json:"down"`
	// Validity is false when this machine was too slow for the link: then a check may
	// have failed for that.
	Validity Validity `json:"validity"`
}

// LinkDirection counts IP packets of one direction.
type LinkDirection struct {
	Packets int64 `json:"packets"` // sent, lost ones included
	Lost    int64 `json:"lost"`
	Resent  int64 `json:"resent"` // TCP segments sent again
}
