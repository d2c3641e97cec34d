namespace ResearchKit.Training;

/// <summary>A file that one run holds, so that no other writes beside it; gone when the run ends, however it ends.</summary>
internal static class RunLock
{
    // EWOULDBLOCK, ERROR_SHARING_VIOLATION
    private const int WouldBlock = 11, WouldBlockOnMac = 35, SharingViolation = unchecked((int)0x80070020);

    /// <summary>Takes the lock until the returned is disposed.</summary>
    /// <param name="path">The lock's own file.</param>
    /// <param name="taken">What to say where another run holds it.</param>
    /// <exception cref="IOException">Another run holds it, or the folder cannot be written; says which.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public static IDisposable Take(string path, string taken)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
        }
        catch (IOException error) when (error.HResult is WouldBlock or WouldBlockOnMac or SharingViolation)
        {
            throw new IOException(taken, error);
        }
    }

    /// <summary>Whether <see cref="Take"/> failed because another run holds the lock.</summary>
    public static bool IsTaken(IOException error) =>
        error.InnerException is IOException { HResult: WouldBlock or WouldBlockOnMac or SharingViolation };
}
