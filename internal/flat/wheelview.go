package flat

import "encoding/binary"

// WheelView is a wheel as it was when View was called, to be saved.
type WheelView struct {
	nodes   SlabView[timer]
	buckets SlabView[bucket]
	now     int64
	falling int
}

// View freezes the wheel.
func (w *Wheel) View() WheelView {
	return WheelView{nodes: w.nodes.View(), buckets: w.buckets.View(), now: w.now, falling: w.falling}
}

// Save writes the wheel as sections that begin with name.
func (v *WheelView) Save(w *Writer, name string) error {
	b := binary.LittleEndian.AppendUint64(nil, uint64(v.now))
	b = append(b, uint8(v.falling))
	if err := w.Bytes(name+"/now", b); err != nil {
		return err
	}
	if err := v.buckets.Save(w, name+"/buckets"); err != nil {
		return err
	}
	return v.nodes.Save(w, name+"/timers")
}

// Load replaces the wheel by what Save wrote under name. After an error it is as it was.
func (w *Wheel) Load(r *Reader, name string) error {
	now, err := r.Bytes(name + "/now")
	if err != nil {
		return err
	}
	fresh := &Wheel{nodes: emptySlab[timer](), buckets: emptySlab[bucket]()}
	if err := fresh.buckets.Load(r, name+"/buckets"); err != nil {
		return err
	}
	if err := fresh.nodes.Load(r, name+"/timers"); err != nil {
		return err
	}
	if fault := fresh.adopt(now); fault != "" {
		return r.corrupt(name, fault)
	}
	*w = *fresh
	return nil
}

// adopt takes over a saved time, rebuilds what was not saved, and returns what is wrong, or "".
func (w *Wheel) adopt(now []byte) string {
	if len(now) != 9 || now[8] >= wheelLevels {
		return "time is damaged"
	}
	w.now, w.falling = int64(binary.LittleEndian.Uint64(now)), int(now[8])
	if w.now < 0 || w.now > maxAt || w.buckets.Len() != 1+wheelLevels*wheelSlots {
		return "time or buckets are out of range"
	}
	for id := uint32(1); id < w.nodes.Len(); id++ {
		t := w.nodes.At(id)
		if t.next >= w.nodes.Len() || t.prev >= w.nodes.Len() || t.level > wheelLevels {
			return "timer is damaged"
		}
	}
	for i := range wheelLevels * wheelSlots {
		head := w.buckets.At(uint32(1 + i)).head
		if head >= w.nodes.Len() {
			return "bucket leads nowhere"
		}
		if head != 0 {
			w.occupied[i/wheelSlots][i%wheelSlots/64] |= 1 << (i % 64)
		}
	}
	return ""
}
