using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>An uncaught C++ exception.</summary>
/// <param name="Message">Message of the exception.</param>
/// <param name="Stack">Managed stack of the call, with files and lines where they are known.</param>
public sealed record UncaughtNativeError(string Message, StackTrace Stack);

/// <summary>
/// Reports uncaught C++ exceptions before they end the process. Some functions of TorchSharp let libtorch's
/// exceptions out of native code.
/// </summary>
/// <remarks>
/// Such functions are <c>torch.matmul</c> with shapes that do not match, <c>torch.autograd.grad</c> and
/// <c>cummax</c>. The exception cannot reach managed code, but C++ calls one function before it ends the
/// process (<c>std::set_terminate</c>). That function can stop the calling thread for good, while the rest of
/// the process continues. Works on Linux x64; elsewhere such a call still ends the process.
/// </remarks>
public static unsafe class TerminateHandler
{
    private const int CatchSlot = 4;   // index in the virtual table of std::type_info, Itanium C++ ABI
    private const int WhatSlot = 2;    // index in the virtual table of std::exception
    private static readonly Lock Gate = new();
    private static Func<UncaughtNativeError, bool>? listener;
    private static delegate* unmanaged<void> before;
    private static delegate* unmanaged<nint*, nint*> currentException;
    private static delegate* unmanaged<nint> currentType;
    private static nint exceptionType;

    /// <summary>Whether uncaught native exceptions can be reported on this machine.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && !Workarounds.IsOff(Workarounds.Terminate);

    internal static bool IsInstalled => before is not null;

    /// <summary>
    /// Calls <paramref name="claim"/> for each uncaught native exception from now on, on the thread that threw it.
    /// </summary>
    /// <param name="claim">
    /// Returns true to stop that thread for good, including all that it holds, or false to end the process, as
    /// without a listener. A new listener replaces the previous one.
    /// </param>
    /// <returns>False where this is not supported; nothing was changed.</returns>
    public static bool Listen(Func<UncaughtNativeError, bool> claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        if (!IsSupported) return false;
        lock (Gate)
        {
            listener = claim;
            if (before is null) Install();
        }
        return true;
    }

    private static void Install()
    {
        var library = NativeLibrary.Load("libstdc++.so.6");
        currentException = (delegate* unmanaged<nint*, nint*>)NativeLibrary.GetExport(library, "_ZSt17current_exceptionv");
        currentType = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "__cxa_current_exception_type");
        exceptionType = NativeLibrary.GetExport(library, "_ZTISt9exception");
        var set = (delegate* unmanaged<delegate* unmanaged<void>, delegate* unmanaged<void>>)NativeLibrary.GetExport(library,
            "_ZSt13set_terminatePFvvE");
        before = set(&OnTerminate);
    }

    [UnmanagedCallersOnly]
    private static void OnTerminate()
    {
        if (Claimed()) SleepForEver();
        before();   // ends the process
    }

    /// <summary>The stack below cannot be unwound; an interrupt of the cell must not leave this method either.</summary>
    private static void SleepForEver()
    {
        while (true)
        {
            try
            {
                Thread.Sleep(Timeout.Infinite);
            }
            catch (ThreadInterruptedException)
            {
            }
        }
    }

    private static bool Claimed()
    {
        while (true)
        {
            try
            {
                return listener!(new UncaughtNativeError(Message(), new StackTrace(2, fNeedFileInfo: true)));
            }
            catch (ThreadInterruptedException)
            {
                continue;   // the thread was interrupted meanwhile; try again
            }
            catch (Exception)
            {
                return false;   // no exception may leave this method
            }
        }
    }

    /// <summary>
    /// Returns what <c>catch (const std::exception&amp; error) { error.what(); }</c> would return.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Message()
    {
        nint thrown = 0;
        currentException(&thrown);
        var type = currentType();
        if (thrown == 0 || type == 0) return "A native library terminated without an exception.";
        var matches = (delegate* unmanaged<nint, nint, nint*, uint, byte>)(*(nint**)exceptionType)[CatchSlot];
        if (matches(exceptionType, type, &thrown, 1) == 0) return "A native library threw an unknown exception.";
        var what = (delegate* unmanaged<nint, nint>)(*(nint**)thrown)[WhatSlot];
        return Marshal.PtrToStringUTF8(what(thrown)) ?? "";
    }
}
