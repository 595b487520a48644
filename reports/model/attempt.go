package model

// Attempt is one run of a check that was run several times and did not always come to the same verdict.
type Attempt struct {
	Run        int      `json:"run"` // from 1
	Verdict    Verdict  `json:"verdict"`
	Reason     string   `json:"reason,omitempty"`
	Failure    *Failure `json:"failure,omitempty"`
	Transcript []Line   `json:"transcript,omitempty"` // of the first run with a verdict other than that of the Check
}
