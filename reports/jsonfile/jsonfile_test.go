package jsonfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/jsonfile"
	"mqttlab/reports/model"
)

func record() *model.Record {
	return &model.Record{
		Kind: model.FleetRun, Seed: 7, Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Fleet: &model.Fleet{
			Mode: model.Virtual, Validity: model.Validity{Valid: true},
			Groups: []model.Group{{Name: "meters", Devices: 3, Ledger: []model.Ledger{{QoS: 1, Sent: 2, Delivered: 2}}}},
		},
	}
}

func TestWriteThenRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "run.json")
	for range 2 { // the second time it replaces
		if err := jsonfile.Write(path, record()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := jsonfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := record()
	want.Seal()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record changed in its file (-want +got):\n%s", diff)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("temporary files are left behind: %v (%v)", left, err)
	}
}

func TestFailedWriteKeepsTheOldRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if err := jsonfile.Write(path, record()); err != nil {
		t.Fatal(err)
	}
	bad := record()
	bad.Fleet.Groups[0].Ledger[0].Sent++
	if err := jsonfile.Write(path, bad); err == nil {
		t.Error("a ledger that does not add up is written")
	}
	if _, err := jsonfile.Read(path); err != nil {
		t.Errorf("the old record is gone: %v", err)
	}
	folder := filepath.Join(t.TempDir(), "taken")
	if err := os.MkdirAll(filepath.Join(folder, "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := jsonfile.Write(folder, record()); err == nil {
		t.Error("a folder is overwritten")
	}
	if left, _ := os.ReadDir(filepath.Dir(folder)); len(left) != 1 {
		t.Errorf("a failed rename leaves %v", left)
	}
}

func TestRefusals(t *testing.T) {
	good, err := record().Encode()
	if err != nil {
		t.Fatal(err)
	}
	swap := func(from, to string) string { return strings.Replace(string(good), from, to, 1) }
	for name, c := range map[string]struct {
		data string
		is   error
		says string
	}{
		"empty":         {" \n", jsonfile.ErrNotARecord, "empty"},
		"foreign text":  {"<html>", jsonfile.ErrNotARecord, "does not begin with {"},
		"foreign JSON":  {`{"tests": 3}`, jsonfile.ErrNotARecord, `without a "schema"`},
		"foreign name":  {`{"schema": "other/v1"}`, jsonfile.ErrNotARecord, `"other/v1"`},
		"cut off":       {string(good[:len(good)/2]), jsonfile.ErrNotARecord, "cut off after"},
		"two records":   {string(good) + string(good), jsonfile.ErrNotARecord, "after top-level value"},
		"odd byte":      {swap(`"seed": 7`, `"seed": 7;`), jsonfile.ErrNotARecord, "line "},
		"schema number": {swap(`"mqttlab.run/v1"`, `1`), jsonfile.ErrNotARecord, `"schema" holds a JSON number`},
		"wrong type":    {swap(`"seed": 7`, `"seed": "7"`), jsonfile.ErrNotARecord, `"seed" holds a JSON string`},
		"later version": {swap("run/v1", "run/v2"), jsonfile.ErrSchema, `"mqttlab.run/v2": this mqttlab reads mqttlab.run/v1`},
		"contradiction": {swap(`"sent": 2`, `"sent": 3`), nil, "add up to 2, but 3"},
		"no such kind":  {swap(`"kind": "fleet"`, `"kind": "race"`), nil, `"race"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.json")
			if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := jsonfile.Read(path)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), path) {
				t.Fatalf("error is %v, want the path and %q", err, c.says)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v is not %v", err, c.is)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %v", err)
			}
		})
	}
	if _, err := jsonfile.Decode([]byte(swap(`"seed": 7`, `"seed": 7, "added_later": [1]`))); err != nil {
		t.Errorf("a field added within the version is refused: %v", err)
	}
	if _, err := jsonfile.Read(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file gives %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := record().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schema":"mqttlab.run/v1","kind":"conformance","checks":[{"verdict":"pass"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := jsonfile.Decode(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("several lines: %q", err)
			}
			return
		}
		first, err := r.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := jsonfile.Decode(first)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		second, err := back.Encode()
		if err != nil || string(first) != string(second) {
			t.Fatalf("encoding is not stable (%v):\n%s\n%s", err, first, second)
		}
	})
}
