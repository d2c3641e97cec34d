using System.Diagnostics;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// An error of a native library that no handler of a cell could see; the thread that met it is stopped for good.
/// </summary>
/// <remarks>
/// The kit hears of it; a type of the kernel's own, so that a session that never touches the kit does not load it.
/// </remarks>
/// <param name="Message">What the library says.</param>
/// <param name="Stack">Where the cell's code was that called it.</param>
public sealed record NativeError(string Message, StackTrace Stack);
