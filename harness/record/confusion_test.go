package record

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A small matrix is written as ever, a large one by what is not 0; both read back.
func TestConfusionJSON(t *testing.T) {
	small := NewConfusion(2)
	small[0][1], small[1][1] = 3, 4
	large := NewConfusion(1000)
	large[0][0], large[0][17], large[999][3] = 41, 2, 1
	for _, tt := range []struct {
		c    Confusion
		want string
	}{{small, `[[0,3],[0,4]]`}, {large, `{"classes":1000,"counts":"0:0=41 0:17=2 999:3=1"}`}, {NewConfusion(500), `{"classes":500,"counts":""}`}} {
		b, err := json.Marshal(tt.c)
		if err != nil || string(b) != tt.want {
			t.Errorf("%.80s, want %s (%v)", b, tt.want, err)
		}
		var got Confusion
		if err := json.Unmarshal(b, &got); err != nil || !cmp.Equal(got, tt.c) {
			t.Errorf("%s does not read back (%v)", tt.want, err)
		}
	}
	cell, err := json.Marshal(Cell{})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(cell, &fields); err != nil {
		t.Fatal(err)
	}
	if _, there := fields["confusion"]; there {
		t.Error("a cell without a result has a confusion")
	}
	for _, bad := range []string{`{"classes":-1}`, `{"classes":100000}`, `{"classes":3,"counts":"0:3=1"}`, `{"classes":3,"counts":"x"}`, `{"classes":3,"counts":"-1:0=1"}`, `{"classes":"x"}`, `3`} {
		var c Confusion
		if err := json.Unmarshal([]byte(bad), &c); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func FuzzConfusion(f *testing.F) {
	f.Add([]byte(`{"classes":3,"counts":"0:1=2 2:2=5"}`))
	f.Add([]byte(`[[1,2],[3,4]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Confusion
		if json.Unmarshal(data, &c) != nil || len(c) > 200 {
			return
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again Confusion
		if err := json.Unmarshal(b, &again); err != nil || len(again) != len(c) {
			t.Errorf("%.100s: %v", b, err)
		}
	})
}
