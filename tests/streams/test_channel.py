from sctnet.streams.bounded_queue import Channel


def test_a_closed_channel_takes_nothing_and_hands_out_what_waits():
    channel = Channel(2)
    assert channel.put(1)
    channel.close()
    assert not channel.put(2)
    assert list(channel) == [1]
    channel = Channel(2)
    channel.put(1)
    channel.close(discard=True)
    assert list(channel) == []


def test_a_full_channel_for_the_newest_drops_its_oldest():
    channel = Channel(2, newest=True)
    for item in range(5):
        assert channel.put(item)
    channel.close()
    assert list(channel) == [3, 4]
    assert channel.dropped == 3
