package fault

import "testing"

func TestLookupNamesTheNearest(t *testing.T) {
	if _, err := Lookup("no-such-fault"); err == nil {
		t.Error("a name that does not exist was found")
	}
	for _, f := range All() {
		if got, err := Lookup(f.Name); err != nil || got.Title != f.Title {
			t.Errorf("Lookup(%q) = %q, %v", f.Name, got.Title, err)
		}
	}
}
