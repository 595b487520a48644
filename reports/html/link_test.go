package html

import (
	"bytes"
	"strings"
	"testing"

	"mqttlab/reports/model"
)

// TestARunOnATooSlowMachineSaysSoFirst looks for the warning above the verdict.
func TestARunOnATooSlowMachineSaysSoFirst(t *testing.T) {
	r := &model.Record{Kind: model.Conformance, Link: &model.LinkRun{Profile: "lte-m:bad", Validity: model.Validity{Reason: "too slow"}}}
	r.Seal()
	page := func() string {
		var b bytes.Buffer
		if err := Write(&b, r); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if text := page(); !strings.Contains(text, "too slow") || strings.Index(text, "too slow") > strings.Index(text, `id="verdict"`) {
		t.Error("the warning does not stand before the verdict")
	}
	r.Link.Validity = model.Validity{Valid: true}
	if strings.Contains(page(), "failures may be ours") {
		t.Error("a valid run is called invalid")
	}
}
