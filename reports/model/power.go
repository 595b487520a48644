package model

// Power is what the radios of a group cost their batteries, from the first message due to the end of the run.
type Power struct {
	Profile  string `json:"profile"`
	WindowMS Millis `json:"window_ms"` // the time measured
	Sessions int64  `json:"sessions"`  // times that a radio woke up

	// Joules are over all devices, by what they were used for.
	Joules PowerStates `json:"joules"`
	// RadioOnMS is the time that a device spent on the air and in sessions, on average.
	RadioOnMS Millis `json:"radio_on_ms"`
	// JoulesPerMessage is the energy of the group per message that arrived. Zero: none did.
	JoulesPerMessage float64 `json:"joules_per_message"`
	// Years is how long a new battery would last.
	Years Years `json:"years"`
}

// PowerStates is energy in joules by the state of the radio.
type PowerStates struct {
	Sleep float64 `json:"sleep"`
	Wake  float64 `json:"wake"` // synchronisation and signalling before and after the packets
	Tx    float64 `json:"tx"`
	Rx    float64 `json:"rx"`
	Tail  float64 `json:"tail"` // connected, with nothing on the air
	Idle  float64 `json:"idle"` // reachable, not connected
}

// Total returns the sum.
func (p PowerStates) Total() float64 { return p.Sleep + p.Wake + p.Tx + p.Rx + p.Tail + p.Idle }

// Years is a forecast of battery life if the devices go on as they did in the run: for their mean power, and the interval in which nine of ten devices lie.
type Years struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`  // 5 % of the devices are below
	High float64 `json:"high"` // 5 % of the devices are above
}
