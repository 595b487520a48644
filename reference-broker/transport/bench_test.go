package transport_test

import (
	"io"
	"testing"

	"mqttlab/reference-broker/transport"
)

// BenchmarkEcho sends 64 bytes and waits for them, over each transport.
func BenchmarkEcho(b *testing.B) {
	ca := newAuthority(b)
	for _, scheme := range []string{"mqtt", "mqtts", "ws", "wss"} {
		b.Run(scheme, func(b *testing.B) {
			ln := listen(b, &transport.ListenConfig{TLS: ca.server()}, scheme+"://127.0.0.1:0")
			echo(b, ln)
			c, err := dialer(b, ca.file, "", "").Dial(b.Context(), transport.URL(ln))
			must(b, err)
			defer c.Close()
			buf := make([]byte, 64)
			b.ReportAllocs()
			for b.Loop() {
				_, err := c.Write(buf)
				must(b, err)
				_, err = io.ReadFull(c, buf)
				must(b, err)
			}
		})
	}
}
