package main

import (
	"strings"
	"testing"
)

// TestAgainCommand wants the command to name the target and how to reach it, and nothing of what else was run or written.
func TestAgainCommand(t *testing.T) {
	tests := []struct{ flags, want string }{
		{"mqtt://127.0.0.1:1883 --out out --repeat 5 --jobs 2 --level must", "mqttlab conform mqtt://127.0.0.1:1883 --only will/Delay --mqtt 5.0 --seed 7"},
		{"mqtt://me:secret@broker:1883 --stress", "mqttlab conform mqtt://me:PASSWORD@broker:1883 --stress --only will/Delay --mqtt 5.0 --seed 7"},
		{"--exec|broker --port {port}|--env A=1|--env B=secret|it's", `mqttlab conform 'it'\''s' --env A=VALUE --env B=VALUE --exec 'broker --port {port}' --only will/Delay --mqtt 5.0 --seed 7`},
	}
	for _, tt := range tests {
		words := strings.Fields(tt.flags)
		if strings.Contains(tt.flags, "|") {
			words = nil
			for part := range strings.SplitSeq(tt.flags, "|") {
				if name, value, found := strings.Cut(part, " "); found && strings.HasPrefix(part, "--") {
					words = append(words, name, value)
				} else {
					words = append(words, part)
				}
			}
		}
		cmd := newConform()
		if err := cmd.ParseFlags(words); err != nil {
			t.Fatal(err)
		}
		if got := againCommand(cmd.Flags(), cmd.Flags().Args(), 7)("will/Delay", "5.0", "", ""); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	cmd := newConform()
	if err := cmd.ParseFlags([]string{"--transport", "all"}); err != nil {
		t.Fatal(err)
	}
	for transport, want := range map[string]string{"": "tcp", "ws": "ws"} {
		if got := againCommand(cmd.Flags(), nil, 7)("will/Delay", "5.0", transport, ""); got != "mqttlab conform --only will/Delay --mqtt 5.0 --seed 7 --transport "+want {
			t.Errorf("over %s: %s", want, got)
		}
	}
	got := againCommand(newConform().Flags(), nil, 1)("sequence/Wills", "5.0", "", "connect cut")
	if want := "mqttlab conform --only sequence/Wills --mqtt 5.0 --seed 1 --case 'connect cut'"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
