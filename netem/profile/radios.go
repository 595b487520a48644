package profile

import (
	"time"

	"mqttlab/netem/link"
)

const (
	ms   = time.Millisecond
	kbit = 1e3 // bit/s
	mbit = 1e6 // bit/s
)

const comcast = "README of github.com/tylertreat/comcast, table of network conditions; the delay is split between the directions"

// radios is the table. It is never changed.
var radios = []Profile{
	{
		Name:    "perfect",
		Summary: "no delay, no loss, no limit",
	},
	{
		Name:    "wifi-powersave",
		Summary: "Wi-Fi station in modem sleep, wakes at every third beacon",
		Up: link.Config{
			Delay: 2 * ms, Jitter: 500 * time.Microsecond, LossRatio: 0.001,
			RateBitsPerSecond: 20 * mbit, QueueBytes: 64 << 10,
		},
		Down: link.Config{
			Delay: 2 * ms, Jitter: 500 * time.Microsecond, LossRatio: 0.001,
			RateBitsPerSecond: 20 * mbit, QueueBytes: 64 << 10,
			Sleep: link.Sleep{Interval: 307200 * time.Microsecond, AwakeAfterTraffic: 50 * ms},
		},
		Sources: []Source{
			{"wake-up interval", "IEEE 802.11: beacon every 100 TU of 1.024 ms; ESP-IDF Wi-Fi guide: default listen interval 3"},
			{"awake after traffic", "ESP-IDF: CONFIG_ESP_WIFI_SLP_DEFAULT_MIN_ACTIVE_TIME is 50 ms"},
			{"rate", "ESP-IDF Wi-Fi guide: TCP throughput of an ESP32 over the air, 20 Mbit/s"},
			{"delay, loss", "chosen: one contention and one retry; what is left after the MAC's own retransmissions"},
		},
	},
	{
		Name:    "lte-m",
		Summary: "LTE Cat-M1, half duplex, connected mode, good coverage",
		Up: link.Config{
			Delay: 45 * ms, Jitter: 8 * ms, LossRatio: 0.001,
			RateBitsPerSecond: 375 * kbit, QueueBytes: 32 << 10,
		},
		Down: link.Config{
			Delay: 30 * ms, Jitter: 5 * ms, LossRatio: 0.001,
			RateBitsPerSecond: 300 * kbit, QueueBytes: 64 << 10,
		},
		Sources: []Source{
			{"rate up, round trip of 50-100 ms", "AWS, Implementing Low-Power Wide-Area Network Solutions with AWS IoT: LTE-M 375 kbit/s, 50-100 ms"},
			{"rate down", "3GPP Release 13, Cat-M1 half duplex: 300 kbit/s peak down, 375 kbit/s up"},
			{"delay up above delay down", "chosen: the uplink waits for a grant"},
			{"loss", "chosen: HARQ and RLC repair nearly all, handovers leave some"},
		},
	},
	{
		Name:    "nb-iot",
		Summary: "NB-IoT in connected mode, multi-tone uplink, normal coverage",
		Up: link.Config{
			Delay: 250 * ms, Jitter: 60 * ms, LossRatio: 0.01,
			RateBitsPerSecond: 62.5 * kbit, QueueBytes: 16 << 10,
		},
		Down: link.Config{
			Delay: 150 * ms, Jitter: 40 * ms, LossRatio: 0.01,
			RateBitsPerSecond: 21.25 * kbit, QueueBytes: 16 << 10,
		},
		MTUBytes: 1358,
		Sources: []Source{
			{"rates", "3GPP TR 45.820; Andres-Maldonado et al. 2019: uplink 62.5 kbit/s multi-tone, downlink 21.25 kbit/s"},
			{"delay", "chosen: scheduling request, grant and half-duplex switching in connected mode; going from idle to connected is not part of it"},
			{"loss", "chosen: enough that a run of minutes shows retransmissions"},
			{"MTU", "3GPP TS 23.060 annex C: 1358 bytes avoid fragmentation in the core network"},
		},
	},
	{
		Name:    "satellite",
		Summary: "geostationary satellite, shared channel",
		Up: link.Config{
			Delay: 300 * ms, Jitter: 20 * ms, LossRatio: 0.005,
			RateBitsPerSecond: 492 * kbit, QueueBytes: 64 << 10,
		},
		Down: link.Config{
			Delay: 300 * ms, Jitter: 20 * ms, LossRatio: 0.005,
			RateBitsPerSecond: 492 * kbit, QueueBytes: 128 << 10,
		},
		Sources: []Source{
			{"delay", "ITU-T G.114: 260 ms for one geostationary hop; 40 ms chosen for coding and the ground network"},
			{"rate", "Inmarsat BGAN, standard IP: up to 492 kbit/s"},
			{"loss", "chosen: what remains of rain fades behind forward error correction"},
		},
	},
	{
		Name:    "gprs",
		Summary: "GPRS",
		Up:      link.Config{Delay: 250 * ms, Jitter: 50 * ms, LossRatio: 0.02, RateBitsPerSecond: 50 * kbit, QueueBytes: 16 << 10},
		Down:    link.Config{Delay: 250 * ms, Jitter: 50 * ms, LossRatio: 0.02, RateBitsPerSecond: 50 * kbit, QueueBytes: 32 << 10},
		Sources: []Source{{"delay, rate, loss", comcast}, {"jitter", "chosen: a fifth of the delay"}},
	},
	{
		Name:    "edge",
		Summary: "EDGE",
		Up:      link.Config{Delay: 150 * ms, Jitter: 30 * ms, LossRatio: 0.015, RateBitsPerSecond: 250 * kbit, QueueBytes: 16 << 10},
		Down:    link.Config{Delay: 150 * ms, Jitter: 30 * ms, LossRatio: 0.015, RateBitsPerSecond: 250 * kbit, QueueBytes: 32 << 10},
		Sources: []Source{{"delay, rate, loss", comcast}, {"jitter", "chosen: a fifth of the delay"}},
	},
	{
		Name:    "3g",
		Summary: "UMTS",
		Up:      link.Config{Delay: 125 * ms, Jitter: 25 * ms, LossRatio: 0.015, RateBitsPerSecond: 750 * kbit, QueueBytes: 32 << 10},
		Down:    link.Config{Delay: 125 * ms, Jitter: 25 * ms, LossRatio: 0.015, RateBitsPerSecond: 750 * kbit, QueueBytes: 64 << 10},
		Sources: []Source{{"delay, rate, loss", comcast}, {"jitter", "chosen: a fifth of the delay"}},
	},
	{
		Name:    "thread",
		Summary: "IPv6 over IEEE 802.15.4 (Thread), three hops to the border router",
		Up: link.Config{
			Delay: 45 * ms, Jitter: 15 * ms, JitterDistribution: link.Pareto, LossRatio: 0.001, FragmentBytes: 72,
			RateBitsPerSecond: 60 * kbit, OverheadBytes: 61, QueueBytes: 10 << 10,
		},
		Down: link.Config{
			Delay: 45 * ms, Jitter: 15 * ms, JitterDistribution: link.Pareto, LossRatio: 0.001, FragmentBytes: 72,
			RateBitsPerSecond: 60 * kbit, OverheadBytes: 61, QueueBytes: 10 << 10,
		},
		MTUBytes: 1280,
		Sources: []Source{
			{"MTU, fragments", "RFC 4944, section 4: 1280 bytes; with link security a frame holds 81, less 5 for the fragment header and rounded down to a multiple of 8: 72"},
			{"overhead", "the rest of a frame of 127 bytes, and 6 bytes of the physical layer before it (IEEE 802.15.4-2020, 12.1)"},
			{"rate", "250 kbit/s shared by three hops, of which 72 % is left: a frame takes 4.3 ms on the air, then 0.5 ms until it is acknowledged, and 1.1 ms of back-off (IEEE 802.15.4, macMinBE 3) come before it"},
			{"delay", "chosen: 15 ms per hop with CSMA back-off"},
			{"loss", "chosen: of a thousand fragments one is lost for good, in spite of up to 15 retries per hop (Thread 1.2.1, macMaxFrameRetries); a packet of 1280 bytes with 1.8 %"},
			{"queue", "the 44 message buffers of 128 bytes that OpenThread has by default, with their overhead on the air"},
		},
	},
	{
		Name:    "ble",
		Summary: "IPv6 over Bluetooth Low Energy, connection interval 30 ms",
		Up: link.Config{
			Delay: 5 * ms, RateBitsPerSecond: 1 * mbit, Slots: link.Slots{Interval: 30 * ms, Bytes: 469}, QueueBytes: 8 << 10,
		},
		Down: link.Config{
			Delay: 5 * ms, RateBitsPerSecond: 1 * mbit, Slots: link.Slots{Interval: 30 * ms, Bytes: 469}, QueueBytes: 8 << 10,
		},
		MTUBytes: 1280,
		Sources: []Source{
			{"slots", "a packet waits for the next connection event; 469 bytes in each, chosen: 125 kbit/s, two full data packets each way"},
			{"delay", "chosen: 5 ms in host and controller"},
			{"rate", "the 1 Mbit/s PHY (Bluetooth Core, vol. 6 part B 1)"},
			{"loss", "the link layer retransmits until the connection is dropped (Bluetooth Core, vol. 6 part B 4.5.9)"},
			{"MTU", "RFC 7668: 1280 bytes"},
		},
	},
	{
		Name:    "lorawan-gateway",
		Summary: "LTE Cat 1 backhaul of a LoRaWAN gateway, which is the MQTT client; the LoRa radio behind it carries no IP",
		Up: link.Config{
			Delay: 90 * ms, Jitter: 20 * ms, JitterDistribution: link.Pareto, LossRatio: 0.002,
			RateBitsPerSecond: 5.2 * mbit, QueueBytes: 256 << 10,
		},
		Down: link.Config{
			Delay: 60 * ms, Jitter: 15 * ms, JitterDistribution: link.Pareto, LossRatio: 0.002,
			RateBitsPerSecond: 10.3 * mbit, QueueBytes: 256 << 10,
		},
		Sources: []Source{
			{"rates", "3GPP TS 36.306, table 4.1-1 and 4.1-2: category 1, 10,296 bit down and 5,160 bit up per millisecond"},
			{"round trip of 150 ms", "chosen between a very good backhaul (below 100 ms) and a fair one (300 ms, at which answers miss RX1) of Kerlink, Wanesy: network delays; edge-of-cell is the fair one"},
			{"jitter", "chosen: a fifth to a quarter of the delay, with the heavy tail of a shared cell"},
			{"loss", "chosen: as lte-m, with the antenna where the LoRa one had to be"},
			{"queue", "chosen: 400 ms at the rate up"},
		},
	},
}
