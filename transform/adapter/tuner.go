package adapter

// A tuner is a type of adapter: how its configuration is read, and what its
// tensors do.
type tuner struct {
	parse func(*Config) error
	build func(*builder) error
}

// tuners are the types that can be merged, by peft_type.
var tuners map[string]tuner

func init() { // an initialisation loop otherwise: parsing asks what is known
	tuners = map[string]tuner{
		"LORA": {(*Config).parseLoRA, buildLoRA},
	}
}
