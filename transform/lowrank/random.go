package lowrank

// randomBlock fills x with the random numbers [first, first+len(x)) of the
// stream that belongs to a name: independent, of mean 0, bounded and nearly
// normal. They are sums of integers, so that they are the same on every machine,
// which logarithms and cosines are not.
func randomBlock(x []float32, name string, first uint64) {
	seed := uint64(0xcbf29ce484222325) // FNV-1a
	for i := range len(name) {
		seed = (seed ^ uint64(name[i])) * 0x100000001b3
	}
	for i := range x {
		u := mix(seed + (first+uint64(i))*0x9e3779b97f4a7c15)
		x[i] = float32(int32(int16(u)) + int32(int16(u>>16)) + int32(int16(u>>32)) + int32(int16(u>>48)))
	}
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(u uint64) uint64 {
	u = (u ^ u>>30) * 0xbf58476d1ce4e5b9
	u = (u ^ u>>27) * 0x94d049bb133111eb
	return u ^ u>>31
}
