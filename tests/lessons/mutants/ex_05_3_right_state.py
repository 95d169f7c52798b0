"""Through the state dict."""

import copy

EXERCISE = "05.3"


def strengthen(network, channels, k):
    state = {name: values.clone() for name, values in network.state_dict().items()}
    state["11.weight"][channels] *= k
    state["11.bias"][channels] *= k
    new = copy.deepcopy(network)
    new.load_state_dict(state)
    return new
