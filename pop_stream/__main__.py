"""`python -m pop_stream` is `pop-stream`."""

try:
    from pop_stream.cli.main import main
except KeyboardInterrupt:
    # So early there is nobody yet who could end it in order, and nothing to end.
    raise SystemExit(130) from None

if __name__ == "__main__":
    main()
