using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Eigenvalues and vectors, in double precision, whatever the device can do.</summary>
internal static class Eigen
{
    /// <summary>Of a symmetric matrix, in the matrix's dtype; smallest value first.</summary>
    public static (Tensor Values, Tensor Vectors) Symmetric(Tensor matrix)
    {
        var place = matrix.device_type == DeviceType.MPS ? matrix.cpu() : matrix;   // which has no doubles
        var (values, vectors) = linalg.eigh(place.to(float64));
        return (values.to(matrix.dtype).to(matrix.device), vectors.to(matrix.dtype).to(matrix.device));
    }
}
