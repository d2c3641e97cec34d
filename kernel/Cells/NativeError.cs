using System.Diagnostics;

namespace ResearchKit.Kernel.Cells;

/// <summary>A native exception that managed code could not catch. Its thread is blocked forever.</summary>
/// <remarks>
/// The kit detects it. This type belongs to the kernel, so that a session that does not use the kit need not
/// load it.
/// </remarks>
/// <param name="Message">The message of the native exception.</param>
/// <param name="Stack">The managed stack of the call into the library.</param>
public sealed record NativeError(string Message, StackTrace Stack);
