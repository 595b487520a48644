package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"mqttlab/spec/target"
)

// engine runs one broker: a process or a container. Its methods are not called
// concurrently, save exited and log.
type engine interface {
	// start starts it, on the data it had.
	start(ctx context.Context) error
	// addresses are where it may be reached since the last start.
	addresses() []string
	// listeners are its further listeners, at the ports inside.
	listeners() ([]*url.URL, error)
	// outside is where a port of a further listener is reached since the last start; empty for none.
	outside(port string) string
	// exited says how it ended; ok is false while it runs.
	exited(ctx context.Context) (how string, ok bool)
	// stop asks it to end and kills it after grace. It is gone when stop returns.
	stop(ctx context.Context, grace time.Duration) error
	// kill ends it without notice. It is gone when kill returns.
	kill(ctx context.Context) error
	// remove takes away all that is left of it.
	remove(ctx context.Context) error
	// log is the end of what it wrote, since the first start.
	log(ctx context.Context) []byte
	// proxied says that the port is opened by somebody else, before the broker listens.
	proxied() bool
}

// Broker is a broker that was started. Its methods are safe for concurrent use.
type Broker struct {
	recipe Recipe
	engine engine

	mu     sync.Mutex // one of start, stop, kill, close at a time
	closed bool

	at atomic.Pointer[string] // the address that answered last
}

// Start starts a broker and waits until it answers a CONNECT. The error of a broker
// that does not start is an [*Error], within StartTimeout, and nothing is left of it.
func Start(ctx context.Context, r Recipe) (*Broker, error) {
	r, err := r.prepared()
	if err != nil {
		return nil, err
	}
	b := &Broker{recipe: r}
	if r.Image != "" {
		b.engine, err = newContainer(ctx, r)
	} else {
		b.engine, err = newProcess(r)
	}
	if err != nil {
		return nil, err
	}
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// start starts it and waits until it serves.
func (b *Broker) start(ctx context.Context) error {
	began := time.Now()
	b.recipe.Logger.Info("starting", "broker", b.what())
	if err := b.engine.start(ctx); err != nil {
		return err
	}
	if err := b.await(ctx, began); err != nil {
		return err
	}
	if err := b.awaitListeners(ctx, began); err != nil {
		return err
	}
	b.recipe.Logger.Info("serving", "broker", b.what(), "address", b.Address(), "after", time.Since(began))
	return nil
}

func (b *Broker) what() string { return or(b.recipe.Exec, b.recipe.Image) }

// Address is where the broker listens. A restart may change it.
func (b *Broker) Address() string { return *b.at.Load() }

// Dial connects to where the broker listens now: the address is that of its target, or of one
// of the target's listeners.
func (b *Broker) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network == "tcp" {
		_, inside, _ := net.SplitHostPort(address)
		host, port, _ := net.SplitHostPort(b.Address())
		address = net.JoinHostPort(host, or(b.engine.outside(inside), port))
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// Target is the broker as a target that can be restarted.
func (b *Broker) Target() *target.Target {
	t := &target.Target{
		URL: "exec:" + b.recipe.Exec, Network: "tcp", Address: b.Address(),
		Dial: b.Dial, Restart: b.Restart, Crash: b.KillAndRestart,
	}
	if b.recipe.Image != "" {
		t.URL = "image:" + b.recipe.Image
	}
	further, _ := b.engine.listeners() // the recipe was looked at
	for _, u := range further {
		t.Listeners = append(t.Listeners, u.String())
	}
	t.Settings.UserName, t.Settings.Password = b.recipe.UserName, b.recipe.Password
	return t
}

// errClosed says that a broker was closed.
var errClosed = errors.New("the broker was removed")

// Restart stops the broker in good order, unless it has ended by itself, and starts it
// on the data it had. Its error is an [*Error] if it does not come back.
func (b *Broker) Restart(ctx context.Context) error {
	return b.exclusive(func() error {
		if err := b.engine.stop(ctx, b.recipe.StopTimeout); err != nil {
			return fmt.Errorf("restart: %w", err)
		}
		return b.start(ctx)
	})
}

// KillAndRestart ends the broker without notice, as a crash or power cut does, and
// starts it on the data it had.
func (b *Broker) KillAndRestart(ctx context.Context) error {
	return b.exclusive(func() error {
		if err := b.engine.kill(ctx); err != nil {
			return fmt.Errorf("kill: %w", err)
		}
		return b.start(ctx)
	})
}

// Stop ends the broker in good order and keeps its data.
func (b *Broker) Stop(ctx context.Context) error {
	return b.exclusive(func() error { return b.engine.stop(ctx, b.recipe.StopTimeout) })
}

// Kill ends the broker without notice and keeps its data.
func (b *Broker) Kill(ctx context.Context) error {
	return b.exclusive(func() error { return b.engine.kill(ctx) })
}

func (b *Broker) exclusive(do func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed
	}
	return do()
}

// Log is what the broker wrote to standard output and standard error, of a long log the
// last megabyte. It is empty after Close.
func (b *Broker) Log(ctx context.Context) []byte { return b.engine.log(ctx) }

// removeTimeout bounds Close: it runs when the user has lost patience already.
const removeTimeout = 30 * time.Second

// Close kills the broker and removes all that is left of it. It takes no context, as it
// has to work after Ctrl-C too. Closing twice does nothing.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := b.engine.remove(ctx); err != nil {
		return fmt.Errorf("clean up after %s: %w", b.what(), err)
	}
	b.recipe.Logger.Info("removed", "broker", b.what())
	return nil
}
