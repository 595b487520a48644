package atomicfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mqttlab/reports/atomicfile"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := atomicfile.Write(path, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, error %v; want %q", path, got, err, want)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "folder", "report.html")
	write(t, file, "a longer text")
	write(t, file, "short")
	holds(t, file, "short")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o444 != 0o444 {
		t.Errorf("not everybody may read it: %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestErrorNamesTheFile has a name that is possible, but leaves no room for that of the temporary file.
func TestErrorNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), strings.Repeat("x", 250))
	err := atomicfile.Write(file, nil)
	if e := (*fs.PathError)(nil); !errors.As(err, &e) || e.Path != file {
		t.Errorf("got %v, want an error about the file", err)
	}
}

// TestReadersSeeOneWholeFile keeps a reader of the old file while the new one is written.
func TestReadersSeeOneWholeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "record.json")
	write(t, file, "old")
	reader, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	write(t, file, "the new one")
	if seen, err := io.ReadAll(reader); err != nil || string(seen) != "old" {
		t.Errorf("the reader of the old file sees %q, error %v", seen, err)
	}
	holds(t, file, "the new one")
}

func TestLinksStay(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	write(t, file, "old")
	if err := os.Symlink("file", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	write(t, link, "new")
	holds(t, file, "new")
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link leads to %q, error %v", to, err)
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "x")
	for _, path := range []string{dir, filepath.Join(file, "below-a-file")} {
		if err := atomicfile.Write(path, nil); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestCheckLeavesNothing asks before writing, for names that would do and names that would not.
func TestCheckLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "kept")
	for name, want := range map[string]string{
		file: "", filepath.Join(dir, "a", "b", "c"): "", dir: "is a directory", filepath.Join(file, "x"): "write ", os.DevNull: "",
	} {
		if err := atomicfile.Check(name); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	left, err := os.ReadDir(dir)
	if text, _ := os.ReadFile(file); err != nil || len(left) != 1 || string(text) != "kept" {
		t.Errorf("left %v with %q, %v", left, text, err)
	}
}
