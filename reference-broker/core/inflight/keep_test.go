package inflight

import "testing"

func TestReceivedKeepLeavesMessageUntilFinish(t *testing.T) {
	var o Outgoing[string]
	o.SetWindow(2)
	id, _ := o.Begin("a", true)
	if m, ok := o.ReceivedKeep(id); !ok || *m != "a" {
		t.Fatalf("ReceivedKeep = %v, %v; want the message", m, ok)
	}
	if o.Phase(id) != AwaitPubcomp {
		t.Errorf("phase %v after PUBREC, want AwaitPubcomp", o.Phase(id))
	}
	if _, ok := o.ReceivedKeep(id); ok {
		t.Error("a second PUBREC counts as the first")
	}
	*o.Message(id) = "b"
	if m, ok := o.Finish(id); !ok || m != "b" {
		t.Errorf("Finish = %q, %v; want what the row held last", m, ok)
	}
	if o.Message(id) != nil {
		t.Error("a finished exchange still has a message")
	}
	reserved, _ := o.Reserve()
	if o.Message(reserved) != nil || o.Message(0) != nil {
		t.Error("an identifier without an exchange has a message")
	}
}
