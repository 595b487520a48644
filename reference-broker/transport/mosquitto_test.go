package transport_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// TestMosquittoAsServer dials the listeners of mosquitto: TLS with a client certificate, WebSocket, and both.
func TestMosquittoAsServer(t *testing.T) {
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed")
	}
	ca := newAuthority(t)
	cert, key := ca.issue("broker")
	ports := make([]int, 3)
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
		must(t, ln.Close())
	}
	files := fmt.Sprintf("cafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nuse_identity_as_username true\n", ca.file, cert, key)
	text := fmt.Sprintf("per_listener_settings true\nlistener %d 127.0.0.1\n%s"+
		"listener %d 127.0.0.1\nallow_anonymous true\nprotocol websockets\nlistener %d 127.0.0.1\nprotocol websockets\n%s", ports[0], files, ports[1], ports[2], files)
	if os.Getuid() == 0 {
		text += "user root\n" // it gives up root otherwise, and cannot read the files
	}
	config := filepath.Join(ca.dir, "mosquitto.conf")
	must(t, os.WriteFile(config, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), path, "-c", config)
	must(t, cmd.Start())
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	text = payload[:1000] // mosquitto takes 0.1 s for each 4 KiB that come over WebSocket
	clientCert, clientKey := ca.issue("sensor")
	d := dialer(t, ca.file, clientCert, clientKey)
	for i, scheme := range []string{"mqtts", "ws", "wss"} {
		ctx := within(t)
		c, err := client.Dial(ctx, fmt.Sprintf("%s://127.0.0.1:%d", scheme, ports[i]), &client.Options{
			TLS: d.TLS, RetryFirst: true, Backoff: client.Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond},
		})
		if err != nil {
			t.Errorf("%s: %v", scheme, err)
			continue
		}
		sub, err := c.Subscribe(ctx, client.Filter{TopicFilter: "a", QoS: mqtt.AtLeastOnce})
		must(t, err)
		_, err = c.Publish(ctx, &client.Message{Topic: "a", QoS: mqtt.AtLeastOnce, Payload: []byte(text)})
		must(t, err)
		for m, err := range sub.Messages(ctx) {
			must(t, err)
			if string(m.Payload) != text {
				t.Errorf("%s: the payload was changed", scheme)
			}
			break
		}
		must(t, c.Close(ctx))
	}
	if _, err := (&transport.Dialer{}).Dial(within(t), fmt.Sprintf("mqtts://127.0.0.1:%d", ports[0])); err == nil {
		t.Error("a server that nobody vouches for is trusted")
	}
}
