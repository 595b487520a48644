package broker

import (
	"context"
	"log/slog"

	"mqttlab/reference-broker/core/server"
)

// bg stands where slog wants a context: nothing here carries values.
var bg = context.Background()

// Levels by how often an event comes: once per connection, or once per message.
const (
	logConnection = slog.LevelInfo
	logMistake    = slog.LevelInfo
	logMessage    = slog.LevelDebug
)

// log writes an event of the machine.
func (b *Broker) log(e *server.Event) {
	level := logConnection
	if e.Kind == server.MessageDropped || e.Kind == server.WillPublished {
		level = logMessage
	}
	if !b.cfg.Logger.Enabled(bg, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 6)
	attrs = append(attrs, slog.Uint64("conn", uint64(e.Conn)), slog.String("client", e.Client))
	if e.Code != 0 {
		attrs = append(attrs, slog.String("reason", e.Code.String()))
	}
	if e.Topic != "" {
		attrs = append(attrs, slog.String("topic", e.Topic))
	}
	if e.Detail != "" {
		attrs = append(attrs, slog.String("detail", e.Detail))
	}
	if e.Resumed {
		attrs = append(attrs, slog.Bool("resumed", true))
	}
	b.cfg.Logger.LogAttrs(bg, level, e.Kind.String(), attrs...)
}
