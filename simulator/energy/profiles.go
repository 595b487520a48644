package energy

import (
	"slices"
	"time"
)

const (
	mW   = 1e-3
	mA3V = 3.0e-3 // watts per milliampere at 3 V
	mA33 = 3.3e-3
	mA36 = 3.6e-3
	wh   = 3600.0
	ms   = time.Millisecond
)

const (
	tr45820 = "3GPP TR 45.820, 7.3.6.4, energy consumption evaluation"
	nrf9160 = "github.com/boaks/zephyr-coaps-client, docu/POWERCONSUMPTION.md: nRF9160-DK at 5 V, measured with a PPK2"
	casals  = "Casals, Mir, Vidal, Gomez, Modeling the Energy Performance of LoRaWAN, Sensors 17(10) 2364, 2017, doi:10.3390/s17102364"
	nrf52   = "nRF52840 Product Specification, current consumption at 3 V with the DC/DC regulator"
	esp32   = "ESP-IDF Programming Guide, low-power modes in Wi-Fi scenarios; ESP32 datasheet, RF power consumption"
)

// profiles is the table. It is never changed.
var profiles = []Profile{
	{
		Name: "nb-iot", Summary: "NB-IoT module after TR 45.820, good coverage, inactivity timer 10 s",
		Sleep: 0.015 * mW, Tx: 545 * mW, Rx: 90 * mW, Idle: 3 * mW, IdleTime: 10 * time.Second,
		Tail: 17.3 * mW, TailTime: 10 * time.Second,
		Wake:          []Phase{{"synchronise and register", 2 * time.Second, 87 * mW}},
		BatteryJoules: 5 * wh,
		Sources: []Source{
			{"sleep, tx, rx, idle, battery", tr45820},
			{"inactivity timer", "Andres-Maldonado et al. 2019: 10 s, connected-mode DRX 2.048 s"},
			{"tail, wake", "as nrf9160-nb-iot, whose wake-up was measured"},
			{"idle time", "chosen: 10 s of active timer (T3324), a common operator default"},
		},
	},
	{
		Name: "nb-iot-164db", Summary: "NB-IoT module at the edge of coverage, 164 dB of coupling loss; for a link of 743 bit/s up",
		Sleep: 0.015 * mW, Tx: 545 * mW, Rx: 90 * mW, Idle: 3 * mW, IdleTime: 20 * time.Second,
		Tail: 3 * mW, TailTime: 0,
		Wake:          []Phase{{"synchronise, random access, listen", 7400 * ms, 90 * mW}},
		BatteryJoules: 5 * wh,
		Sources: []Source{
			{"sleep, tx, rx, idle, battery", tr45820},
			{"idle time", tr45820 + ": 20 s between the report and power saving"},
			{"wake, rate of the uplink", "solved from two of the lifetimes in TR 45.820 at 164 dB, 200 B every 2 h 1.7 years and 50 B a day 18.1 years (as Sauter, From GSM to LTE-Advanced Pro and 5G, p. 318, quotes them): they calibrate, they do not confirm"},
		},
	},
	{
		Name: "lte-m", Summary: "LTE-M, nRF9160 with power saving mode, released by the network after 10 s",
		Sleep: 0.0135 * mW, Tx: 1000 * mW, Rx: 150 * mW, Idle: 3 * mW, IdleTime: 8 * time.Second,
		Tail: 17.3 * mW, TailTime: 10 * time.Second,
		Wake:          []Phase{{"register again", 4 * time.Second, 84 * mW}},
		BatteryJoules: 5 * wh,
		Sources: []Source{
			{"wake", nrf9160 + ": a wake-up without data takes 12 s and 0.1 mWh, 8 s of it idle"},
			{"tail time, idle time", nrf9160 + ": connected for 10 s, active time 8 s"},
			{"tail", nrf9160 + ": solved from the exchange of 0.152 mWh"},
			{"sleep", "nRF9160 Product Specification: 2.7 uA in power saving mode, at 5 V"},
			{"tx, rx, idle", "chosen: transmission in good coverage, far below 23 dBm; at 375 kbit/s a message is a few milliseconds of it"},
			{"battery", "chosen: that of TR 45.820"},
		},
	},
	{
		Name: "nrf9160-nb-iot", Summary: "NB-IoT, nRF9160 with power saving mode and release assistance",
		Sleep: 0.0135 * mW, Tx: 545 * mW, Rx: 90 * mW, Idle: 3 * mW, IdleTime: 8 * time.Second,
		Tail: 17.3 * mW, TailTime: time.Second,
		Wake:          []Phase{{"register again", 2 * time.Second, 87 * mW}},
		BatteryJoules: 5 * wh,
		Sources: []Source{
			{"wake", nrf9160 + ": a wake-up without data takes 10 s and 0.055 mWh, 8 s of it idle"},
			{"tail time, idle time", nrf9160 + ": connected for 1 s with release assistance, active time 8 s"},
			{"tail", "as lte-m: the same modem between packets"},
			{"tx, rx", tr45820},
			{"sleep, idle, battery", "as lte-m"},
		},
	},
	{
		Name: "lorawan", Summary: "LoRaWAN class A, MultiTech mDot, both receive windows, 2400 mAh",
		Sleep: 0.045 * mA36, Tx: 83 * mA36, Rx: 38.1 * mA36, Tail: 13.2 * mA36,
		Wake: []Phase{
			{"wake up", 168200 * time.Microsecond, 22.1 * mA36},
			{"prepare the radio", 83800 * time.Microsecond, 13.3 * mA36},
			{"radio off", 147400 * time.Microsecond, 13.2 * mA36},
			{"process", 268 * ms, 21 * mA36},
			{"turn off", 38600 * time.Microsecond, 13.3 * mA36},
			{"wait for the first window", 983300 * time.Microsecond, 27 * mA36},
			{"first window", 12300 * time.Microsecond, 38.1 * mA36},
			{"wait for the second window", 988 * ms, 27.1 * mA36},
			{"second window", 33 * ms, 35 * mA36},
		},
		BatteryJoules: 2400 * 3600 * mA36,
		Sources: []Source{
			{"currents and durations", casals + "; compared with the copy of its table in github.com/lkrzak/ijet2023, lora_transaction.m"},
			{"windows", "after Casals et al.: twelve symbols of SF7 in the first; (2^12+32)/125 kHz, a symbol of SF12 and a little, in the second, where a radio that hears no preamble gives up"},
			{"wait for the second window", "what the first leaves of the second between the two"},
			{"voltage", "chosen: 3.6 V; lifetimes do not depend on it, as all figures are currents"},
		},
	},
	{
		Name: "thread", Summary: "Thread sleepy end device, nRF52840, CR2477",
		Sleep: 0.00316 * mA3V, Tx: 6.40 * mA3V, Rx: 6.53 * mA3V, Tail: 6.53 * mA3V, TailTime: 100 * ms,
		OnAir: 1.0 / 3, BatteryJoules: 1000 * 3600 * mA3V,
		Sources: []Source{
			{"tx, rx, sleep", nrf52 + ": 0 dBm; sleep with RAM and real-time counter"},
			{"tail", "chosen: the receiver stays on for 100 ms after a packet"},
			{"on the air", "the link profile's rate is shared by three hops, one of which is the device's own"},
			{"battery", "CR2477, 1000 mAh; polls of the parent between messages are not part of it"},
		},
	},
	{
		Name: "ble", Summary: "Bluetooth Low Energy peripheral, nRF52840, CR2477",
		Sleep: 0.012 * mA3V, Tx: 6.40 * mA3V, Rx: 6.26 * mA3V, Tail: 0.6 * mA3V, TailTime: 500 * ms,
		OnAir: 0.25, BatteryJoules: 1000 * 3600 * mA3V,
		Sources: []Source{
			{"tx, rx", nrf52 + ": 0 dBm, 1 Mbit/s"},
			{"sleep", "chosen: 3 uA of the chip, and an empty connection event of about 9 uC a second with peripheral latency"},
			{"tail", "chosen: every connection event of 30 ms is attended for half a second"},
			{"on the air", "chosen: the link profile's 125 kbit/s on a PHY of 1 Mbit/s, with headers and acknowledgements"},
			{"battery", "CR2477, 1000 mAh"},
		},
	},
	{
		Name: "wifi-esp32", Summary: "Wi-Fi, ESP32 in automatic light sleep, wakes at every third beacon",
		Sleep: 2.33 * mA33, Tx: 240 * mA33, Rx: 100 * mA33, Tail: 95 * mA33, TailTime: 50 * ms,
		BatteryJoules: 3000 * 3600 * mA33,
		Sources: []Source{
			{"sleep, tx, rx", esp32 + ": light sleep at DTIM 3; tx 802.11b at full power"},
			{"tail", "ESP-IDF: CONFIG_ESP_WIFI_SLP_DEFAULT_MIN_ACTIVE_TIME is 50 ms with the receiver on"},
			{"battery", "chosen: 3000 mAh at 3.3 V"},
		},
	},
}

// Names returns the names of all profiles, sorted.
func Names() []string {
	var all []string
	for i := range profiles {
		all = append(all, profiles[i].Name)
	}
	slices.Sort(all)
	return all
}

// Lookup returns the profile of a name. It must not be modified.
func Lookup(name string) (*Profile, bool) {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return &profiles[i], true
}
