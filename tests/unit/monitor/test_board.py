import json
import os
import subprocess
import sys
from pathlib import Path

from pipeline.monitor.board import Board, board_in
from pipeline.testing import FakeClock


def test_a_note_is_read_back_with_role_pid_and_time(tmp_path: Path) -> None:
    board = Board(tmp_path / "run", FakeClock())
    board.write("worker", {"assigned": [0, 2], "ready": True})
    assert board.read() == [
        {
            "assigned": [0, 2],
            "ready": True,
            "role": "worker",
            "pid": os.getpid(),
            "time": "2025-03-18T09:00:00.000Z",
        }
    ]


def test_a_second_note_takes_the_place_of_the_first(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.write("worker", {"ready": False})
    board.write("worker", {"ready": True})
    assert [note["ready"] for note in board.read()] == [True]


def test_roles_of_one_process_have_a_note_each_in_order(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.write("worker", {})
    board.write("watcher", {})
    assert [note["role"] for note in board.read()] == ["watcher", "worker"]


def test_a_cleared_note_is_gone_and_clearing_again_is_harmless(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.write("worker", {})
    board.clear("worker")
    board.clear("worker")
    assert board.read() == []


def test_the_note_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    pid = int(done.stdout)
    note = tmp_path / f"worker-{pid}.json"
    note.write_text(json.dumps({"role": "worker", "pid": pid, "time": ""}))
    assert Board(tmp_path).read() == []
    assert not note.exists()


def test_a_child_that_ended_but_was_not_waited_for_counts_as_dead(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "print()"], stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        (tmp_path / f"worker-{child.pid}.json").write_text(json.dumps({"role": "worker", "pid": child.pid}))
        assert Board(tmp_path).read() == []


def test_broken_notes_are_removed(tmp_path: Path) -> None:
    for number, content in enumerate(["", "{", "[]", '{"role": 3, "pid": 1}', '{"role": "worker"}']):
        (tmp_path / f"worker-{number}.json").write_text(content)
    assert Board(tmp_path).read() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    board = Board(tmp_path)
    board.write("watcher", {"waiting": [{"source": name}]})
    assert board.read()[0]["waiting"][0]["source"] == name


def test_no_folder_means_no_notes(tmp_path: Path) -> None:
    assert board_in(str(tmp_path / "nowhere")).read() == []
