package server

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// conversation is a test that also serves to see a Deviation: the Server conforms if it passes.
type conversation func(testing.TB)

func (c conversation) name() string {
	name := runtime.FuncForPC(reflect.ValueOf(c).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// converse runs each as a subtest.
func converse(t *testing.T, list []conversation) {
	for _, c := range list {
		t.Run(c.name(), func(t *testing.T) { c(t) })
	}
}

// red is a testing.TB that is expected to fail.
type red struct {
	testing.TB
	deviations Deviations
	why        string
}

func (r *red) Helper()                   {}
func (r *red) Error(args ...any)         { r.why += fmt.Sprintln(args...) }
func (r *red) Errorf(f string, a ...any) { r.why += fmt.Sprintf(f, a...) }

func (r *red) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *red) Fatalf(f string, a ...any) {
	r.Errorf(f, a...)
	runtime.Goexit()
}

// fails runs a conversation with a Server that deviates and returns why it failed, or nothing.
func fails(t *testing.T, c conversation, d Deviations) string {
	r := &red{TB: t, deviations: d}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c(r)
	}()
	<-done
	return r.why
}

// TestEachDeviationIsSeen proves the conversations and the deviations by each other: of the conversations that pass on a Server that conforms, at
// least one fails on each that deviates.
func TestEachDeviationIsSeen(t *testing.T) {
	all := slices.Concat(qosConversations, connectConversations, sessionConversations, willConversations, retainConversations,
		subscribeConversations, sharedConversations, limitConversations, authConversations)
	for d := range deviationCount {
		seen := 0
		for _, c := range all {
			if fails(t, c, Deviations(0).With(d)) != "" {
				seen++
			}
		}
		if seen == 0 {
			t.Errorf("deviation %d: no conversation fails", d)
		}
	}
}
