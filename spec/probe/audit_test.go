package probe

import (
	"testing"

	"mqttlab/spec/statement"
)

// TestStatementsOfTheAuditExist keeps a typing slip from charging a rule that is not
// there.
func TestStatementsOfTheAuditExist(t *testing.T) {
	var ids []statement.ID
	for _, r := range rules {
		ids = append(append(ids, r.v311...), r.v5...)
	}
	for _, p := range propertyValue {
		ids = append(ids, p...)
	}
	for _, in := range []string{"CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK", "DISCONNECT", "AUTH"} {
		ids = append(ids, statement.X5("T2.4-"+in)...)
	}
	for _, id := range ids {
		if _, err := statement.Lookup(id); err != nil {
			t.Error(err)
		}
	}
}
