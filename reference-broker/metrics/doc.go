// Package metrics tells what a broker does: to Prometheus, to a health check, and to MQTT clients under $SYS.
//
//	http.Serve(ln, metrics.Handler(b.Stats, health))
//	go metrics.PublishSys(ctx, b, version, 10*time.Second)
//
// All figures are those of broker.Stats, taken once for each scrape or publication, so that figures of one scrape fit together. Taking them holds
// up the broker for less than a microsecond.
//
// # Design
//
// There are no labels but QoS and the reason of a drop. Labels by client, topic or listener lost: their number is in the hands of strangers.
//
// A collector of the broker's own counts and not Prometheus counters in its hot paths: they would cost an atomic operation per message.
//
// The topics under $SYS are named as mosquitto names them where the meaning is the same; averages over minutes are left to whoever reads them.
package metrics
