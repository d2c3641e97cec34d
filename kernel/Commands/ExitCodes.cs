namespace ResearchKit.Kernel.Commands;

/// <summary>Exit codes of the program.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>A cell failed, or <c>verify</c> found outputs that differ.</summary>
    public const int CellFailed = 1;

    /// <summary>
    /// Invalid arguments or input files, or something on this machine that the command needs is missing or damaged.
    /// </summary>
    public const int BadInput = 2;

    /// <summary>Interrupted by Ctrl+C.</summary>
    public const int Interrupted = 130;
}
