package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
)

// The test binary becomes the client that is killed when doomedURL names its Server; doomedStore is its file.
const (
	doomedURL   = "MQTTLAB_DOOMED_URL"
	doomedStore = "MQTTLAB_DOOMED_STORE"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(doomedURL); url != "" {
		if err := publishUntilKilled(url, os.Getenv(doomedStore)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// publishUntilKilled publishes each line of standard input with QoS 2, and says on standard output that Enqueue has taken it.
func publishUntilKilled(url, file string) error {
	store, err := client.OpenFileStore(file)
	if err != nil {
		return err
	}
	defer store.Close()
	c, err := client.Dial(context.Background(), url, &client.Options{
		Connect: mqtt.Connect{ClientID: "doomed", SessionExpiryInterval: mqtt.SessionNeverExpires}, Store: store, RetryFirst: true,
	})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		m := &client.Message{Topic: "numbers", QoS: mqtt.ExactlyOnce, Payload: lines.Bytes()}
		_, err := c.Enqueue(m)
		for errors.Is(err, client.ErrQueueFull) {
			time.Sleep(time.Millisecond)
			_, err = c.Enqueue(m)
		}
		if err != nil {
			return err
		}
		fmt.Println(lines.Text())
	}
	return c.Close(context.Background())
}

// doomed is a process that publishes.
type doomed struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startDoomed(t *testing.T, url, file string) *doomed {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), doomedURL+"="+url, doomedStore+"="+file)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &doomed{cmd, in, bufio.NewScanner(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return d
}

// publish lets the process publish the numbers from first on until it has taken some, and kills it. It returns those it has taken and the first number that
// it was never told.
func (d *doomed) publish(first, some int) (taken []string, next int) {
	const ahead = 60 // of what is taken: enough for the process never to wait for its input
	for next = first; len(taken) < some; {
		for ; next < first+len(taken)+ahead; next++ {
			fmt.Fprintln(d.in, next)
		}
		if !d.out.Scan() {
			break
		}
		taken = append(taken, d.out.Text())
	}
	_ = d.cmd.Process.Kill()
	for d.out.Scan() {
		taken = append(taken, d.out.Text())
	}
	_ = d.cmd.Wait()
	return taken, next
}

// TestKilledClientLosesNothing kills a process that publishes with QoS 2, again and again in the middle of its exchanges. What it has taken arrives once, and
// what it may have taken no more than once.
func TestKilledClientLosesNothing(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	url, file := startBroker(t), filepath.Join(t.TempDir(), "store")
	c, err := client.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	sub, err := c.Subscribe(t.Context(), client.Filter{TopicFilter: "numbers", QoS: mqtt.ExactlyOnce})
	if err != nil {
		t.Fatal(err)
	}
	var taken []string
	next := 1
	for range kills {
		var more []string
		more, next = startDoomed(t, url, file).publish(next, 1+rand.IntN(30))
		taken = append(taken, more...)
	}
	last := startDoomed(t, url, file)
	last.in.Close()
	if err := last.cmd.Wait(); err != nil {
		t.Fatal("the last process: ", err)
	}
	if _, err := c.Publish(t.Context(), &client.Message{Topic: "numbers", QoS: mqtt.ExactlyOnce, Payload: []byte("end")}); err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for m, err := range sub.Messages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Payload) == "end" {
			break
		}
		times[string(m.Payload)]++
	}
	for _, n := range taken {
		if times[n] == 0 {
			t.Errorf("message %s is lost", n)
		}
	}
	for n, count := range times {
		if count > 1 {
			t.Errorf("message %s came %d times", n, count)
		}
	}
	t.Logf("%d kills, %d messages taken of %d", kills, len(taken), next-1)
	if len(taken) < kills || strings.TrimSpace(taken[0]) != "1" {
		t.Errorf("%q was taken: that shows nothing", taken)
	}
}
