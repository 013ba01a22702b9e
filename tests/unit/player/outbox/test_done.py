import threading

from pop_stream.player.outbox.writer import Done


def test_what_was_not_said_is_waited_for_in_vain():
    """As long as was asked for."""
    assert not Done().wait(0.01)


def test_what_was_said_is_known_to_all_who_ask():
    """Also to those who ask again, and to another thread that waits already."""
    done, heard = Done(), []
    listener = threading.Thread(target=lambda: heard.append(done.wait(30)))
    listener.start()
    done.set()
    listener.join()

    assert heard == [True]
    assert done.wait(0)
    assert done.wait(0)
